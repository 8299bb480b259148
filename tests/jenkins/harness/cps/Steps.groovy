/**
 * Stand-ins of the steps that the library uses, strict: a step or option that is not here is refused, as a typing error
 * would be on a real controller. Compiled for CPS like the library, so bodies run as they do in Jenkins; whatever
 * touches the world outside is handed to World, with the whole program saved and loaded in between.
 */
class Steps implements Serializable {
    private static final long serialVersionUID = 1L

    def sh(Map options) {
        World.require('sh', options, ['script'], ['label', 'returnStdout', 'returnStatus'])
        return World.leaf('sh', options)
    }

    def echo(Object message) { World.leaf('echo', [message: message as String]) }

    def error(Object message) { World.leaf('error', [message: message as String]) }

    def unstable(Object message) { World.leaf('unstable', [message: message as String]) }

    def checkout(Map options) {
        World.require('checkout', options, ['scm'], ['changelog', 'poll'])
        return World.leaf('checkout', options)
    }

    def checkout(Sources started) { return World.leaf('checkout', [scm: [:]]) }

    def build(Map options) {
        World.require('build', options, ['job'], ['parameters', 'wait'])
        return World.leaf('build', options)
    }

    def junit(Map options) {
        World.require('junit', options, ['testResults'], ['allowEmptyResults'])
        return World.leaf('junit', options)
    }

    def archiveArtifacts(Map options) {
        World.require('archiveArtifacts', options, ['artifacts'], ['allowEmptyArchive'])
        return World.leaf('archiveArtifacts', options)
    }

    def properties(List listed) { World.leaf('properties', [properties: listed]) }

    def deleteDir() { World.leaf('deleteDir', [:]) }

    def readFile(String path) { return World.leaf('readFile', [path: path]) }

    def libraryResource(String path) { return World.leaf('libraryResource', [path: path]) }

    def node(String label, Closure body) { return within('node', [label: label], body) }

    def stage(Object name, Closure body) { return within('stage', [name: name as String], body) }

    def dir(String path, Closure body) { return within('dir', [path: path], body) }

    def withEnv(List pairs, Closure body) { return within('withEnv', [pairs: World.texts(pairs)], body) }

    def withCredentials(List bindings, Closure body) { return within('withCredentials', [bindings: bindings], body) }

    def timeout(Map options, Closure body) {
        World.require('timeout', options, ['time', 'unit'], [])
        return within('timeout', options, body)
    }

    def lock(Map options, Closure body) {
        World.require('lock', options, ['resource'], ['inversePrecedence'])
        return within('lock', options, body)
    }

    def gitlabCommitStatus(Map options, Closure body) {
        World.require('gitlabCommitStatus', options, ['name', 'connection'], [])
        return within('gitlabCommitStatus', options, body)
    }

    def retry(Map options, Closure body) {
        World.require('retry', options, ['count', 'conditions'], [])
        int left = options.count
        while (true) {
            try {
                return body()
            } catch (AgentLost lost) {
                left -= 1
                if (!left) {
                    throw lost
                }
            }
        }
    }

    private def within(String name, Map options, Closure body) {
        World.leaf('begin', [step: name, options: options])
        try {
            return body()
        } finally {
            World.leaf('end', [step: name, options: options])
        }
    }

    // Descriptions of things, which are no steps: maps.

    def agent() { return [symbol: 'agent'] }

    def nonresumable() { return [symbol: 'nonresumable'] }

    def string(Map options) { return symbol('string', options, options.credentialsId ? ['credentialsId', 'variable'] : ['name', 'value'], []) }

    def gitUsernamePassword(Map options) { return symbol('gitUsernamePassword', options, ['credentialsId', 'gitToolName'], []) }

    def scmGit(Map options) { return symbol('scmGit', options, ['branches', 'userRemoteConfigs'], ['extensions']) }

    def localBranch(String name) { return [symbol: 'localBranch', name: name] }

    def gitLabConnection(String name) { return [symbol: 'gitLabConnection', name: name] }

    def disableConcurrentBuilds(Map options = [:]) {
        return symbol('disableConcurrentBuilds', options, [], ['abortPrevious'])
    }

    def buildDiscarder(Map strategy) { return [symbol: 'buildDiscarder', strategy: strategy] }

    def logRotator(Map options) { return symbol('logRotator', options, ['numToKeepStr'], []) }

    private Map symbol(String name, Map options, List needed, List possible) {
        World.require(name, options, needed, possible)
        return World.symbol(name, options)
    }
}
