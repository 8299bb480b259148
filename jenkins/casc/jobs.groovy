// The folders and jobs, for the job-dsl plugin. Each job calls one step of the library; its help says what it does.
// Credentials are in folders, so that a merge request's own Jenkinsfile cannot ask for one that pushes.

String project = System.getenv('PRACTICUM_PROJECT')
String owner = project.substring(0, project.lastIndexOf('/'))

// A folder's token for git and, where one is named, its token for GitLab's API.
Closure secrets = { String identity, String variable, String apiIdentity = '', String apiVariable = '' ->
    return {
        folderCredentialsProperty {
            domainCredentials {
                domainCredentials {
                    domain {
                        name('')
                        description('')
                    }
                    credentials {
                        usernamePassword {
                            scope('GLOBAL')
                            id(identity)
                            description('the labs in GitLab')
                            username('practicum')
                            password(System.getenv(variable))
                            usernameSecret(false)
                        }
                        if (apiIdentity) {
                            stringCredentialsImpl {
                                scope('GLOBAL')
                                id(apiIdentity)
                                description('comments on merge requests')
                                // The only argument that a text is not turned into.
                                secret(hudson.util.Secret.fromString(System.getenv(apiVariable)))
                            }
                        }
                    }
                }
            }
        }
    }
}

folder('practicum') { description('Labs: merge requests, main, your copies (dev) and the class (prod)') }

folder('practicum/verify') {
    description('Answers to merge requests. Nothing here can push or reach LXD.')
    properties secrets('practicum-read', 'PRACTICUM_READ_TOKEN', 'practicum-comment', 'PRACTICUM_COMMENT_TOKEN')
}

// A token each, so that one can be taken back alone, and GitLab tells who pushed.
Map pushes = [main: 'PRACTICUM_MAIN_TOKEN', dev: 'PRACTICUM_DEV_TOKEN', prod: 'PRACTICUM_PROD_TOKEN']
pushes.each { name, variable ->
    folder("practicum/${name}") { properties secrets('practicum-git', variable) }
}

multibranchPipelineJob('practicum/verify/labs') {
    branchSources {
        branchSource {
            source {
                gitLabSCMSource {
                    id('practicum-verify')
                    serverName('gitlab')
                    projectOwner(owner)
                    projectPath(project)
                    credentialsId('practicum-read')
                    traits {
                        originMergeRequestDiscoveryTrait { strategyId(1) }
                    }
                }
            }
        }
    }
    orphanedItemStrategy { discardOldItems { numToKeep(50) } }
}

multibranchPipelineJob('practicum/main/labs') {
    branchSources {
        branchSource {
            source {
                gitLabSCMSource {
                    id('practicum-main')
                    serverName('gitlab')
                    projectOwner(owner)
                    projectPath(project)
                    credentialsId('practicum-git')
                    traits {
                        gitLabBranchDiscovery { strategyId(3) }
                        headWildcardFilter {
                            includes('main')
                            excludes('')
                        }
                    }
                }
            }
        }
    }
}

Map texts = [
    LAB: 'COURSE/LAB, such as net101/firewalls',
    MESSAGE: 'What changed, for those who read the list',
    TYPE: 'A machine type: practicum types',
    NAME: 'The name of the machine; empty: its type',
    CPU: 'How many; empty: as the type says',
    MEMORY: 'Such as 1GiB; empty: as the type says',
    DISK: 'Such as 5GiB; empty: as the type says',
    CONFIRM: 'The name of the lab once more',
    WHEN: 'When systems are replaced: now, idle, or a time such as 04:00; empty: now',
    BY: 'With idle: at the latest at this time, such as 04:00',
]
// job → what it calls, its parameters, and whether builds may run side by side (the step locks each lab)
Map jobs = [
    'dev/lab': ["practicumLab(environment: 'dev')", ['LAB']],
    'dev/checkpoint': ["practicumCommand(verb: 'checkpoint', environment: 'dev')", ['LAB', 'MESSAGE']],
    'dev/create': ["practicumCommand(verb: 'create', environment: 'dev')", ['LAB', 'TYPE', 'NAME', 'CPU', 'MEMORY', 'DISK']],
    'dev/destroy': ["practicumCommand(verb: 'destroy', environment: 'dev')", ['LAB', 'CONFIRM', 'KEEP_VOLUMES']],
    'prod/lab': ["practicumLab(environment: 'prod')", ['LAB', 'WHEN', 'BY']],
    'prod/deploy': ["practicumCommand(verb: 'deploy', environment: 'prod')", ['LAB']],
    'prod/rollback': ["practicumCommand(verb: 'rollback', environment: 'prod')", ['LAB']],
    'prod/undo': ["practicumCommand(verb: 'undo', environment: 'prod')", ['LAB']],
    'prod/destroy': ["practicumCommand(verb: 'destroy', environment: 'prod')", ['LAB', 'CONFIRM', 'KEEP_VOLUMES']],
    'prod/schedule': ['practicumSchedule()', []],
    'prod/nightly': ['practicumSchedule(nightly: true)', []],
]
Map timers = ['prod/schedule': 'H/5 * * * *', 'prod/nightly': 'H 3 * * *']

jobs.each { path, job ->
    pipelineJob("practicum/${path}") {
        parameters {
            for (name in job[1]) {
                if (name == 'KEEP_VOLUMES') {
                    booleanParam(name, false, 'Keep the volumes with student work')
                } else {
                    stringParam {
                        delegate.name(name)
                        defaultValue('')
                        description(texts[name])
                        trim(true)
                    }
                }
            }
        }
        logRotator { numToKeep(path.endsWith('/lab') ? 200 : 50) }
        properties {
            if (timers[path]) {
                disableConcurrentBuilds()
                pipelineTriggers { triggers { cron { spec(timers[path]) } } }
            }
        }
        definition {
            cps {
                script("@Library('practicum') _\n${job[0]}\n")
                sandbox(true)
            }
        }
    }
}
