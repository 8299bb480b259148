/** A step failed, as hudson.AbortException says it. */
class StepFailed extends IOException {
    StepFailed(String message) { super(message) }
}
