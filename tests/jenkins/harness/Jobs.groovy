import groovy.json.JsonOutput

/** Runs a script of job-dsl and prints the tree of what it asked for. */
class Jobs {
    static void main(String[] arguments) {
        Tree tree = new Tree()
        Script script = new GroovyShell(Jobs.classLoader).parse(new File(arguments[0]))
        script.metaClass.methodMissing = { String name, given -> tree.note(name, given as List) }
        script.run()
        println(JsonOutput.toJson(tree.calls))
    }
}
