package org.practicum

/** What the buttons of people run: a command line of each verb, made from the parameters of a job. */
class Commands implements Serializable {
    private static final long serialVersionUID = 1L

    static final List<String> VERBS = ['checkpoint', 'create', 'deploy', 'destroy', 'rollback', 'undo']

    /** Returns the words of the command line. `values` are the job's parameters by name, in capitals, as text. */
    static List<String> words(Object steps, String verb, String environment, Map values) {
        if (verb == 'create') {
            return create(steps, values)
        }
        String lab = LabName.of(steps, values.LAB)
        if (verb == 'checkpoint') {
            return ['checkpoint', lab] + option('-m', values.MESSAGE)
        }
        if (verb == 'deploy') {
            return ['promote', lab]
        }
        if (verb == 'rollback') {
            return ['promote', lab, '--rollback']
        }
        if (verb == 'undo') {
            return ['--yes', 'undo', lab]
        }
        if (values.CONFIRM != lab) {
            steps.error("nothing was destroyed: CONFIRM must repeat the name of the lab")
        }
        List<String> kept = values.KEEP_VOLUMES == 'true' ? ['--keep-volumes'] : []
        return ['--yes', 'destroy', lab, '--env', environment] + kept
    }

    private static List<String> create(Object steps, Map values) {
        List<String> words = ['create', values.TYPE as String, '--lab', LabName.of(steps, values.LAB)]
        for (String name in ['NAME', 'CPU', 'MEMORY', 'DISK']) {
            words += option('--' + name.toLowerCase(), values[name])
        }
        return words
    }

    /** Returns an option with its value, or nothing where there is no value. */
    static List<String> option(String name, Object value) {
        return value ? [name, value as String] : []
    }
}
