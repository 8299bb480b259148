import org.practicum.Options

/** What a push to main means: generate, commit, and start a job for each lab that is due. See practicumMain.txt. */
void call(Map given = [:]) {
    Map defaults = [git: 'practicum-git', gitlab: '', folder: '/practicum', generate: true]
    Map options = Options.of(this, 'practicumMain', defaults, given)
    if (options.generate) {
        retry(count: 2, conditions: [agent(), nonresumable()]) {
            node('practicum-dev') {
                practicumCheckout(git: options.git)
                practicumStage(name: 'generate', gitlab: options.gitlab) {
                    generate(options.git)
                }
            }
        }
    }
    int started = 0
    for (String environment in ['dev', 'prod']) {
        started += start(options, environment)
    }
    currentBuild.description = started ? "${started} labs started" : 'nothing was due'
}

/** Generates what is valid. A spec with errors makes the build unstable, and keeps no other lab from its class. */
private void generate(String git) {
    int code = practicum(arguments: ['pipeline', '--stage', 'generate'], returns: 'status', git: git) as int
    if (code == 65) {
        unstable('some specs have errors; the valid labs were generated')
    } else if (code) {
        error("practicum ended with ${code}")
    }
}

/** Asks on the environment's own agent, the only one that reaches its LXD, and starts the jobs without waiting. */
private int start(Map options, String environment) {
    List<String> labs = []
    retry(count: 2, conditions: [agent(), nonresumable()]) {
        node("practicum-${environment}") {
            practicumCheckout(git: options.git)
            practicumStage(name: "due in ${environment}", minutes: 10) {
                labs = practicumDue(environment: environment, git: options.git)
            }
        }
    }
    for (String lab in labs) {
        build(job: "${options.folder}/${environment}/lab", parameters: [string(name: 'LAB', value: lab)], wait: false)
    }
    return labs.size()
}
