import org.practicum.Options

/** The answer to a merge request. It has no credentials that write to the repository and no LXD. See practicumVerify.txt. */
void call(Map given = [:]) {
    Map defaults = [agent: 'practicum-verify', minutes: 30, gitlab: '', comment: 'practicum-comment']
    Map options = Options.of(this, 'practicumVerify', defaults, given)
    // Only here a newer push may end what runs: nothing has effects but a comment, which a newer commit's answer replaces.
    properties([disableConcurrentBuilds(abortPrevious: true), buildDiscarder(logRotator(numToKeepStr: '10'))])
    retry(count: 2, conditions: [agent(), nonresumable()]) {
        node(options.agent) {
            checkout(scm)
            dir('practicum-reports') {
                deleteDir()
            }
            answer(options)
            practicumStage(name: 'validate', minutes: options.minutes, gitlab: options.gitlab) {
                String report = 'practicum-reports/validate.xml'
                practicum(arguments: ['validate', '--format', 'junit'], returns: 'status', file: report)
                junit(testResults: report, allowEmptyResults: true)
                practicum(arguments: ['validate'])
            }
            practicumStage(name: 'preview', minutes: options.minutes, gitlab: options.gitlab) {
                practicum(arguments: ['generate', '--preview', 'practicum-reports/preview'])
                archiveArtifacts(artifacts: 'practicum-reports/preview/**', allowEmptyArchive: true)
            }
        }
    }
}

/** Puts the answer into the merge request first, so that it stands there also when a later stage fails. */
private void answer(Map options) {
    practicumStage(name: 'review', minutes: options.minutes, gitlab: options.gitlab) {
        String file = 'practicum-reports/review.md'
        List<String> words = ['review', '--output', file]
        if (env.BUILD_URL) {
            words += ['--link', "Pipeline=${env.BUILD_URL}"]
        }
        if (options.comment) {
            words.add('--comment')
        }
        int code = practicum(arguments: words, returns: 'status', gitlab: options.comment) as int
        archiveArtifacts(artifacts: file, allowEmptyArchive: true)
        if (code == 1) {
            error('practicum review ended with 1: it does not fit, or files were changed that only Practicum writes')
        } else if (code && code != 65) {
            unstable("the answer is not in the merge request: practicum review ended with ${code}")
        }
    }
}
