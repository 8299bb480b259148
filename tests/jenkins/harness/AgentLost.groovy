/** The connection to an agent was lost; the one failure that `retry` with the condition `agent()` repeats. */
class AgentLost extends IOException {
    AgentLost() { super('the agent went away') }
}
