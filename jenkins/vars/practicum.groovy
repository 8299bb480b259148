import org.practicum.Options

/** Runs one command line of Practicum on the agent. See practicum.txt. */
def call(Map given) {
    Map options = Options.of(this, 'practicum', [arguments: null, returns: 'nothing', file: '', git: '', gitlab: ''], given)
    String returns = Options.choice(this, 'practicum', 'returns', options.returns, ['nothing', 'output', 'status'])
    List<String> words = []
    for (Object word in options.arguments) {
        String text = word as String
        // A line is an argument; see the script.
        if (!text || text.contains('\n')) {
            error('practicum: an argument is empty or has more than one line')
        }
        words.add(text)
    }
    List secrets = []
    if (options.git) {
        secrets.add(gitUsernamePassword(credentialsId: options.git, gitToolName: 'Default'))
    }
    if (options.gitlab) {
        secrets.add(string(credentialsId: options.gitlab, variable: 'PRACTICUM_GITLAB_TOKEN'))
    }
    Object result = null
    withEnv(["PRACTICUM_ARGUMENTS=${words.join('\n')}", "PRACTICUM_FILE=${options.file}"]) {
        withCredentials(secrets) {
            result = execute(returns)
        }
    }
    return result
}

/** Runs the one script, which no data is ever written into: what it needs stands in its environment. */
private Object execute(String returns) {
    String script = libraryResource('org/practicum/run.sh')
    return sh(script: script, label: 'practicum', returnStdout: returns == 'output', returnStatus: returns == 'status')
}
