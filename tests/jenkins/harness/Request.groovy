/** A step's request to the world outside of the program, by which the program is suspended. */
class Request implements Serializable {
    final String step
    final Map options

    Request(String step, Map options) {
        this.step = step
        this.options = options
    }
}
