import org.practicum.Commands
import org.practicum.Documents
import org.practicum.LabName
import org.practicum.Options

/** The way of one lab in one environment, as far as it is due. See practicumLab.txt. */
void call(Map given) {
    Map defaults = [environment: null, lab: params.LAB, git: 'practicum-git', gitlab: '', minutes: 240]
    Map options = Options.of(this, 'practicumLab', defaults, given)
    String environment = Options.choice(this, 'practicumLab', 'environment', options.environment, ['dev', 'prod'])
    String lab = LabName.of(this, options.lab)
    currentBuild.displayName = "#${env.BUILD_NUMBER} ${lab}"
    Map progress = [at: 'waiting for another build of it']
    try {
        timeout(time: 24, unit: 'HOURS') {
            // Before the agent: who waits here holds no executor.
            lock(resource: "practicum-${environment}-${lab}", inversePrecedence: true) {
                retry(count: 2, conditions: [agent(), nonresumable()]) {
                    progress.at = 'waiting for an agent'
                    node("practicum-${environment}") {
                        walk(options, environment, lab, progress)
                    }
                }
            }
        }
    } finally {
        currentBuild.description = "${lab} in ${environment}: ${progress.at}"
    }
}

/** Runs the stages, which the command line names, so that a build and `practicum pipeline` are the same list. */
private void walk(Map options, String environment, String lab, Map progress) {
    practicumCheckout(git: options.git)
    if (!practicumDue(environment: environment, lab: lab, git: options.git)) {
        progress.at = 'nothing was due'
        return
    }
    String listed = practicum(arguments: ['--json', 'pipeline', '--stages'], returns: 'output')
    dir('practicum-reports') {
        deleteDir()
    }
    try {
        for (Map one in Documents.list(listed, ['name', 'environment', 'probes'])) {
            if (one.environment == environment) {
                progress.at = one.name
                runStage(options, lab, one)
            }
        }
        progress.at = 'done'
    } finally {
        List<String> words = ['status', lab, '--env', environment]
        practicum(arguments: words, returns: 'status', file: 'practicum-reports/status.txt')
        archiveArtifacts(artifacts: 'practicum-reports/**', allowEmptyArchive: true)
    }
}

private void runStage(Map options, String lab, Map one) {
    practicumStage(name: one.name, minutes: options.minutes, gitlab: options.gitlab) {
        String report = "practicum-reports/${one.name.replace(' ', '-')}.xml"
        List<String> words = ['pipeline', lab, '--stage', one.name, '--junit', report]
        if (one.name == 'promote') {
            words.add('--propose')
        }
        if (one.name == 'deliver') {
            words += Commands.option('--when', params.WHEN) + Commands.option('--by', params.BY)
        }
        try {
            practicum(arguments: words, git: options.git)
        } finally {
            if (one.probes == 'true') {
                junit(testResults: report, allowEmptyResults: true)
            }
        }
    }
}
