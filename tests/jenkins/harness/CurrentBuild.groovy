/** The global variable `currentBuild`, as far as the library writes to it. */
class CurrentBuild implements Serializable {
    void setProperty(String name, Object value) {
        if (!(name in ['description', 'displayName'])) {
            throw new MissingPropertyException(name, CurrentBuild)
        }
        World.current()."$name" = value as String
    }
}
