/** The global variable `env`. */
class Environment implements Serializable {
    Object getProperty(String name) { return World.current().task.env[name] }
}
