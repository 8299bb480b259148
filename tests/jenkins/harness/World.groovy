import com.cloudbees.groovy.cps.Continuable
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.Semaphore
import java.util.concurrent.TimeUnit

/**
 * What is outside of a running build: agents, a shell that really runs, locks, and the record of what was done. One
 * World belongs to the thread of one build. Faults are asked for by the number of a shell command, from 1.
 */
class World {
    private static final ThreadLocal<World> CURRENT = new ThreadLocal<>()
    private static final Map<String, Semaphore> LOCKS = new ConcurrentHashMap<>()
    private static final Set<String> BUSY = ConcurrentHashMap.newKeySet()

    final Map task
    final List<Map> record = []
    final List<String> agents = []
    final List<String> workspaces = []
    final List<String> folders = []
    final List<Map> variables = []
    final List<Map> builds = []
    String result = 'SUCCESS'
    String description
    String displayName
    int commands = 0

    World(Map task) {
        this.task = task
    }

    static World current() { return CURRENT.get() }

    void enter() { CURRENT.set(this) }

    static void require(String step, Map options, List needed, List possible) {
        List missing = needed - options.keySet()
        List unknown = (options.keySet() as List) - needed - possible
        if (missing || unknown) {
            throw new IllegalArgumentException("${step}: missing ${missing}, unknown ${unknown}")
        }
    }

    static List<String> texts(List values) { return values.collect { it as String } }

    static Map symbol(String name, Map options) { return [symbol: name] + options }

    /** Hands a request to the loop that runs the build, which saves the program before it answers. */
    static Object leaf(String step, Map options) {
        return Continuable.suspend('leaf', new Request(step, options))
    }

    Object perform(Request request) {
        Map options = request.options
        if (request.step == 'begin') {
            return begin(options.step, options.options)
        }
        if (request.step == 'end') {
            return end(options.step, options.options)
        }
        note(request.step, options)
        return this."do_${request.step}"(options)
    }

    private void note(String step, Map options) {
        record << [step: step, agent: agents ? agents.last() : null, options: plain(options)]
    }

    /** Returns a value as JSON knows it. */
    private static Object plain(Object value) {
        if (value instanceof Map) {
            return value.collectEntries { key, one -> [(key as String): plain(one)] }
        }
        if (value instanceof List) {
            return value.collect { plain(it) }
        }
        return value == null || value instanceof Number || value instanceof Boolean ? value : value as String
    }

    private void begin(String step, Map options) {
        note(step, options)
        if (step == 'node') {
            if (!task.agents.containsKey(options.label)) {
                throw new StepFailed("no agent has the label ${options.label}")
            }
            agents << options.label
            workspaces << workspace(task.agents[options.label] as String)
        } else if (step == 'dir') {
            needAgent(step)
            folders << options.path
        } else if (step == 'withEnv') {
            variables << options.pairs.collectEntries { String pair -> pair.split('=', 2) as List }
        } else if (step == 'withCredentials') {
            List wanted = options.bindings*.credentialsId
            if (!task.credentials.containsAll(wanted)) {
                throw new StepFailed("this folder has no credentials ${wanted}")
            }
            Map bound = wanted ? [CREDENTIALS: wanted.join(',')] : [:]
            for (Map one in options.bindings) {
                bound += one.symbol == 'string' ? [(one.variable): 'stand-in'] : [GIT_ASKPASS: '/stand-in']
            }
            variables << bound
        } else if (step == 'lock') {
            if (agents) {
                throw new StepFailed('an executor would be held while waiting for a lock')
            }
            LOCKS.computeIfAbsent(options.resource as String) { new Semaphore(1) }.acquire()
        } else if (step == 'gitlabCommitStatus') {
            needAgent(step)
        }
    }

    private void end(String step, Map options) {
        if (step == 'node') {
            agents.pop()
            BUSY.remove(workspaces.pop())
        } else if (step == 'dir') {
            folders.pop()
        } else if (step in ['withEnv', 'withCredentials']) {
            variables.pop()
        } else if (step == 'lock') {
            LOCKS[options.resource as String].release()
        }
    }

    private void needAgent(String step) {
        if (!agents) {
            throw new StepFailed("Required context class hudson.FilePath is missing: ${step} needs a node")
        }
    }

    /** Returns a workspace that no other build is in, with the names that Jenkins gives them. */
    private static String workspace(String path) {
        String free = path
        for (int number = 2; !BUSY.add(free); number++) {
            free = "${path}@${number}" as String
        }
        return free
    }

    File place() {
        needAgent('this')
        File workspace = new File(workspaces.last())
        File place = folders ? new File(workspace, folders.join('/')) : workspace
        place.mkdirs()
        return place
    }

    Object do_echo(Map options) { return null }

    Object do_error(Map options) { throw new StepFailed(options.message) }

    Object do_unstable(Map options) {
        result = 'UNSTABLE'
        return null
    }

    Object do_properties(Map options) { return null }

    /** Brings origin's main, where the address is a folder; the sources of merge requests lie there already. */
    Object do_checkout(Map options) {
        File workspace = place()
        String url = options.scm.userRemoteConfigs ? options.scm.userRemoteConfigs[0].url : ''
        if (url.startsWith('/')) {
            if (!new File(workspace, '.git').exists()) {
                git(workspace, ['clone', '--quiet', url, '.'])
            }
            git(workspace, ['fetch', '--quiet', 'origin'])
            git(workspace, ['checkout', '--quiet', '-f', '-B', 'main', 'origin/main'])
        }
        return [:]
    }

    private static void git(File place, List<String> words) {
        Process process = new ProcessBuilder(['git'] + words).directory(place).redirectErrorStream(true).start()
        String said = process.inputStream.text
        if (process.waitFor()) {
            throw new StepFailed("git ${words.join(' ')}: ${said}")
        }
    }

    Object do_archiveArtifacts(Map options) {
        File parent = new File(place(), options.artifacts.replace('/**', '').replaceAll(/\/\*\.\w+$/, ''))
        if (!parent.exists() && !options.allowEmptyArchive) {
            throw new StepFailed("no artifacts match ${options.artifacts}")
        }
        return null
    }

    Object do_junit(Map options) {
        if (!new File(place(), options.testResults as String).exists() && !options.allowEmptyResults) {
            throw new StepFailed('no test reports were found')
        }
        return null
    }

    Object do_deleteDir(Map options) {
        place().deleteDir()
        return null
    }

    Object do_readFile(Map options) { return new File(place(), options.path as String).getText('UTF-8') }

    Object do_libraryResource(Map options) {
        return new File("${task.library}/resources/${options.path}").getText('UTF-8')
    }

    Object do_build(Map options) {
        builds << [job: options.job as String, parameters: options.parameters.collectEntries { [it.name, it.value] }]
        return null
    }

    Object do_sh(Map options) {
        if (!(options.script instanceof String)) {
            throw new StepFailed('the script of sh was put together from data')
        }
        commands += 1
        if (task.faults["$commands"] == 'lost') {
            throw new AgentLost()
        }
        File script = File.createTempFile('step', '.sh')
        File output = File.createTempFile('step', '.out')
        File log = File.createTempFile('step', '.log')
        script.text = options.script
        try {
            int code = run(script, output, log, task.faults["$commands"] == 'abort')
            String text = output.getText('UTF-8')
            record << [step: 'ended', code: code, output: text, log: log.getText('UTF-8')]
            if (options.returnStatus) {
                return code
            }
            if (code) {
                throw new StepFailed("script returned exit code ${code}")
            }
            return options.returnStdout ? text : null
        } finally {
            script.delete()
            output.delete()
            log.delete()
        }
    }

    private int run(File script, File output, File log, boolean abort) {
        // By its shell: a process that another build starts meanwhile may still hold the file open for writing, and the
        // system runs no such file ("Text file busy").
        ProcessBuilder builder = new ProcessBuilder(['/bin/sh', script.path]).directory(place())
        builder.redirectOutput(output).redirectError(log)
        builder.environment().clear()
        // A controller gives every command what it knows of the build, which people wrote in part.
        builder.environment().putAll(task.env)
        builder.environment().putAll(task.shell)
        variables.each { builder.environment().putAll(it) }
        Process process = builder.start()
        process.outputStream.close()
        if (abort) {
            waitFor(new File(task.started as String))
            process.destroy()
            process.waitFor(20, TimeUnit.SECONDS)
            throw new Aborted()
        }
        return process.waitFor()
    }

    private static void waitFor(File file) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
        while (!file.exists()) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("${file} did not appear")
            }
            Thread.yield()
        }
    }
}
