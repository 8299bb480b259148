package org.practicum

/** Names of labs, which come from people, and become names of locks, builds and arguments. */
class LabName implements Serializable {
    private static final long serialVersionUID = 1L

    // The command line's own rule. The bounds keep names of locks and builds readable.
    private static final String FORM = '[a-z0-9][a-z0-9-]{0,62}/[a-z0-9][a-z0-9-]{0,62}'

    /** Returns COURSE/LAB; ends the build for any other text, which is not repeated: it may be made to be read. */
    static String of(Object steps, Object value) {
        String name = value as String
        if (value == null || !name.matches(FORM)) {
            steps.error('the name of a lab is COURSE/LAB, such as net101/firewalls: small letters, digits and hyphens')
        }
        return name
    }
}
