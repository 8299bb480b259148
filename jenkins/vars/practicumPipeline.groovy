/** The whole Jenkinsfile of a university: merge requests are verified, main is delivered. See practicumPipeline.txt. */
void call(Map given = [:]) {
    if (env.CHANGE_ID) {
        practicumVerify(given.subMap(['gitlab', 'comment']))
    } else if (env.BRANCH_NAME == 'main') {
        properties([disableConcurrentBuilds(), buildDiscarder(logRotator(numToKeepStr: '100'))])
        practicumMain(given.findAll { entry -> entry.key != 'comment' })
    } else {
        error('practicumPipeline is for merge requests and for main; other branches have nothing to run')
    }
}
