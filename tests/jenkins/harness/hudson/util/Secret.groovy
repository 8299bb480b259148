package hudson.util

/** A stand-in of what Jenkins keeps secrets in. */
class Secret {
    private final String text

    private Secret(String text) { this.text = text }

    static Secret fromString(String text) { return new Secret(text) }

    @Override
    String toString() { return text }
}
