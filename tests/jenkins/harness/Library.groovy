import com.cloudbees.groovy.cps.CpsTransformer
import org.codehaus.groovy.control.CompilerConfiguration

/** The shared library as Jenkins loads it: src on the class path, one script a file of vars, all transformed for CPS. */
class Library {
    private static final Map<String, Class> STEPS = [:]
    static GroovyClassLoader loader

    static void load(String folder, String steps) {
        CompilerConfiguration configuration = new CompilerConfiguration(scriptBaseClass: 'BuildScript')
        configuration.addCompilationCustomizers(new CpsTransformer())
        configuration.classpathList = ["${folder}/src" as String]
        loader = new GroovyClassLoader(Library.classLoader, configuration)
        loader.parseClass(new File(steps))
        new File("${folder}/vars").eachFileMatch(~/.*\.groovy/) { STEPS[it.name - '.groovy'] = loader.parseClass(it) }
    }

    static boolean has(String name) { return STEPS.containsKey(name) }

    /** Returns a step of the library, as fresh as after a restart of the controller. */
    static Script step(String name) { return STEPS[name].newInstance() }

    /** Returns the stand-ins of Jenkins' own steps. */
    static Object steps() { return loader.loadClass('Steps').newInstance() }

    static Script program(String text) { return loader.parseClass(text, 'Jenkinsfile').newInstance() }
}
