import org.practicum.Commands
import org.practicum.Options

/** What a person started: one verb, with the parameters of the build. See practicumCommand.txt. */
void call(Map given) {
    Map defaults = [verb: null, environment: null, git: 'practicum-git', minutes: 240]
    Map options = Options.of(this, 'practicumCommand', defaults, given)
    String environment = Options.choice(this, 'practicumCommand', 'environment', options.environment, ['dev', 'prod'])
    String verb = Options.choice(this, 'practicumCommand', 'verb', options.verb, Commands.VERBS)
    Map values = [:]
    for (String name in ['LAB', 'MESSAGE', 'CONFIRM', 'KEEP_VOLUMES', 'TYPE', 'NAME', 'CPU', 'MEMORY', 'DISK']) {
        values[name] = params[name] == null ? '' : params[name] as String
    }
    List<String> words = Commands.words(this, verb, environment, values)
    currentBuild.displayName = "#${env.BUILD_NUMBER} ${values.LAB}"
    currentBuild.description = "${verb} ${values.LAB}: did not end well"
    timeout(time: 24, unit: 'HOURS') {
        lock(resource: "practicum-${environment}-${values.LAB}") {
            // No retry for a lost agent: a person asked once, and looks at the answer.
            node("practicum-${environment}") {
                practicumCheckout(git: options.git)
                practicumStage(name: verb, minutes: options.minutes) {
                    practicum(arguments: words, git: options.git)
                }
            }
        }
    }
    currentBuild.description = "${verb} ${values.LAB}: done"
}
