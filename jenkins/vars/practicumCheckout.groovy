import org.practicum.Options

/** Checks the newest main of the labs' repository out, as a branch that Practicum can commit to. */
void call(Map given = [:]) {
    Map options = Options.of(this, 'practicumCheckout', [repository: env.PRACTICUM_REPOSITORY ?: '', git: ''], given)
    if (!options.repository) {
        error('practicumCheckout: neither repository: nor PRACTICUM_REPOSITORY says where the labs are')
    }
    checkout(
        changelog: false,
        poll: false,
        scm: scmGit(
            branches: [[name: '*/main']],
            extensions: [localBranch('main')],
            userRemoteConfigs: [[url: options.repository, credentialsId: options.git]],
        ),
    )
}
