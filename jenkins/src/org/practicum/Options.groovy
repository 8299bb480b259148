package org.practicum

/** The named parameters of a step: those it knows, with defaults. What it does not know is refused, not ignored. */
class Options implements Serializable {
    private static final long serialVersionUID = 1L

    /**
     * Returns the defaults with what was given in their place. A default of null means that a value must be given.
     * `steps` is the step's script, whose `error` ends the build.
     */
    static Map of(Object steps, String step, Map defaults, Map given) {
        for (String name in given.keySet()) {
            if (!defaults.containsKey(name)) {
                steps.error("${step} knows no '${name}'; it takes ${defaults.keySet().join(', ')}")
            }
        }
        Map options = [:]
        options.putAll(defaults)
        options.putAll(given)
        for (String name in defaults.keySet()) {
            if (options[name] == null) {
                steps.error("${step} needs '${name}'")
            }
        }
        return options
    }

    /** Returns a value that must be one of the given ones. */
    static String choice(Object steps, String step, String name, Object value, List<String> choices) {
        String text = value as String
        if (!choices.contains(text)) {
            steps.error("${step}: ${name} must be one of ${choices.join(', ')}")
        }
        return text
    }
}
