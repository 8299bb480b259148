/** The global variable `scm`: the sources that the job was started for. */
class Sources implements Serializable {
}
