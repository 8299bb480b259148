import org.practicum.Options

/** A stage with a time limit and, where GitLab is connected, a commit status of its own. */
void call(Map given, Closure body) {
    Map options = Options.of(this, 'practicumStage', [name: null, minutes: 60, gitlab: ''], given)
    stage(options.name) {
        timeout(time: options.minutes as int, unit: 'MINUTES') {
            if (options.gitlab) {
                gitlabCommitStatus(name: options.name, connection: gitLabConnection(options.gitlab)) {
                    body()
                }
            } else {
                body()
            }
        }
    }
}
