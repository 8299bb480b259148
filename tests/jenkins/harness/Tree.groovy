/** What a script of job-dsl says: calls with their arguments, and those inside of their blocks. It knows no names. */
class Tree {
    final List<Map> calls = []

    Object methodMissing(String name, Object given) { return note(name, given as List) }

    Object note(String name, List given) {
        Closure body = given && given.last() instanceof Closure ? given.last() as Closure : null
        if (name == 'secret' && !(given.last() instanceof hudson.util.Secret)) {
            throw new IllegalArgumentException('job-dsl makes no Secret of a text')
        }
        Tree inside = new Tree()
        calls << [name: name, given: (body ? given.init() : given).collect { it as String }, inside: inside.calls]
        if (body) {
            body.delegate = inside
            body.resolveStrategy = Closure.DELEGATE_FIRST
            body.call()
        }
        return null
    }
}
