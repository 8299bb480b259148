/** Somebody aborted the build. */
class Aborted extends InterruptedException {
    Aborted() { super('aborted by somebody') }
}
