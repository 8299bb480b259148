import org.practicum.Options

/** What time brings: labs ready and stopped, work collected, and every night the reports. See practicumSchedule.txt. */
void call(Map given = [:]) {
    Map defaults = [nightly: false, backup: false, git: 'practicum-git', folder: '/practicum', minutes: 240]
    Map options = Options.of(this, 'practicumSchedule', defaults, given)
    retry(count: 2, conditions: [agent(), nonresumable()]) {
        node('practicum-prod') {
            practicumCheckout(git: options.git)
            practicumStage(name: 'schedule', minutes: options.minutes) {
                practicum(arguments: ['schedule'], git: options.git)
            }
            if (options.nightly) {
                report(options)
            }
        }
    }
    if (options.nightly) {
        practicumMain(git: options.git, folder: options.folder, generate: false)
    }
}

/** Archives what is left behind and what space is used; a report that fails is told and stops no other. */
private void report(Map options) {
    practicumStage(name: 'reports', minutes: options.minutes) {
        for (String verb in ['status', 'orphans', 'disk']) {
            String file = "practicum-reports/${verb}.txt"
            int code = practicum(arguments: [verb], returns: 'status', file: file, git: options.git) as int
            if (code) {
                unstable("practicum ${verb} ended with ${code}")
            }
        }
        archiveArtifacts(artifacts: 'practicum-reports/*.txt', allowEmptyArchive: true)
    }
    if (options.backup) {
        practicumStage(name: 'backup', minutes: options.minutes) {
            practicum(arguments: ['backup'], git: options.git)
        }
    }
}
