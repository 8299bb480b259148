import org.practicum.Options

/** The answer to a merge request. It has no credentials that write and no LXD. See practicumVerify.txt. */
void call(Map given = [:]) {
    Map options = Options.of(this, 'practicumVerify', [agent: 'practicum-verify', minutes: 30, gitlab: ''], given)
    // Only here a newer push may end what runs: nothing has effects.
    properties([disableConcurrentBuilds(abortPrevious: true), buildDiscarder(logRotator(numToKeepStr: '10'))])
    retry(count: 2, conditions: [agent(), nonresumable()]) {
        node(options.agent) {
            checkout(scm)
            practicumStage(name: 'validate', minutes: options.minutes, gitlab: options.gitlab) {
                String report = 'practicum-reports/validate.xml'
                practicum(arguments: ['validate', '--format', 'junit'], returns: 'status', file: report)
                junit(testResults: report, allowEmptyResults: true)
                practicum(arguments: ['validate'])
            }
            practicumStage(name: 'preview', minutes: options.minutes, gitlab: options.gitlab) {
                practicum(arguments: ['generate', '--preview', 'practicum-reports/preview'])
            }
        }
    }
}
