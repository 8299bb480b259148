import com.cloudbees.groovy.cps.Continuable
import com.cloudbees.groovy.cps.CpsDefaultGroovyMethods
import com.cloudbees.groovy.cps.Envs
import com.cloudbees.groovy.cps.ObjectInputStreamWithLoader
import com.cloudbees.groovy.cps.Outcome
import com.cloudbees.groovy.cps.impl.CpsCallableInvocation
import groovy.json.JsonOutput
import groovy.json.JsonSlurperClassic

/**
 * Runs builds of the library under the real CPS semantics of Jenkins. Reads a list of builds as JSON a line, runs those
 * of one line at the same time, and answers with what became of each. At every step the program is saved and loaded
 * again, as a restart of the controller does: what cannot be saved fails here as it would there.
 */
class Main {
    static void main(String[] arguments) {
        PrintStream answers = System.out
        System.out = System.err
        Library.load(arguments[0], arguments[1])
        System.in.eachLine('UTF-8') { line ->
            List<Map> ends = []
            List<Thread> threads = new JsonSlurperClassic().parseText(line).collect { task ->
                Map end = [:]
                ends << end
                Thread.start { end.putAll(build(task + [library: arguments[0]])) }
            }
            threads*.join()
            answers.println(JsonOutput.toJson(ends))
            answers.flush()
        }
    }

    static Map build(Map task) {
        World world = new World(task)
        world.enter()
        Throwable failure = null
        try {
            run(world, Library.program(task.jenkinsfile))
        } catch (Aborted aborted) {
            world.result = 'ABORTED'
            failure = aborted
        } catch (Throwable thrown) {
            world.result = 'FAILURE'
            failure = thrown
        }
        return [
            result: world.result, failure: failure?.toString(), description: world.description,
            name: world.displayName, record: world.record, builds: world.builds,
        ]
    }

    private static void run(World world, Script script) {
        // A call that is not the one CPS expected is a program that goes wrong silently, such as sort with a closure.
        CpsCallableInvocation.registerMismatchHandler { receiver, expected, actual, called ->
            throw new IllegalStateException("expected to call ${expected} but wound up catching ${called}")
        }
        Continuable program = new Continuable(script, Envs.empty(new Sandbox()))
        Outcome outcome = step(program, new Outcome(null, null))
        while (program.resumable) {
            Request request = outcome.normal as Request
            program = again(program)
            outcome = step(program, answer(world, request))
        }
        if (outcome.abnormal != null) {
            throw outcome.abnormal
        }
    }

    private static Outcome step(Continuable program, Outcome outcome) {
        return program.run0(outcome, [CpsDefaultGroovyMethods, SavedIterators])
    }

    private static Outcome answer(World world, Request request) {
        try {
            return new Outcome(world.perform(request), null)
        } catch (Throwable failed) {
            return new Outcome(null, failed)
        }
    }

    private static Continuable again(Continuable program) {
        ByteArrayOutputStream saved = new ByteArrayOutputStream()
        new ObjectOutputStream(saved).withCloseable { it.writeObject(program) }
        return new ObjectInputStreamWithLoader(new ByteArrayInputStream(saved.toByteArray()), Library.loader).readObject()
    }
}
