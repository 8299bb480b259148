import org.practicum.Documents
import org.practicum.LabName
import org.practicum.Options

/** Returns the labs that are due in an environment, as the command line says; needs a checkout of main. */
List<String> call(Map given) {
    Map options = Options.of(this, 'practicumDue', [environment: null, lab: '', git: ''], given)
    String file = 'practicum-due.json'
    List<String> words = ['--json', 'pipeline', '--due', '--env', options.environment]
    if (options.lab) {
        words.add(LabName.of(this, options.lab))
    }
    int code = practicum(arguments: words, returns: 'status', file: file, git: options.git) as int
    List<String> labs = []
    List<String> unknown = []
    for (Map one in Documents.list(readFile(file), ['lab', 'why'])) {
        String lab = LabName.of(this, one.lab)
        echo("${lab} in ${options.environment}: ${one.why}")
        if (one.why == 'unknown') {
            unknown.add(lab)
        } else {
            labs.add(lab)
        }
    }
    if (code && (options.lab || !unknown)) {
        error("practicum ended with ${code}")
    }
    if (unknown) {
        unstable("it is not known whether these are due in ${options.environment}: ${unknown.join(', ')}")
    }
    return labs
}
