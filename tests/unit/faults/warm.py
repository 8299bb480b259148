"""A process that has imported all of Practicum and forks a child for every command line that it is told.

Reads one JSON document a line: `arguments`, `output` (a file for what the child says), `effect` with `root` (die before
the Nth change that the child itself makes below this folder), `settings` (constants of modules). Answers with the exit
code, a signal as a negative number. Changes of files and git commands are seen by Python's audit hook, so nothing of
the product is there for the tests. A child that hangs is ended by an alarm, and says where it hung.
"""

import faulthandler
import json
import os
import signal
import sys
from importlib import import_module

from practicum.cli.main import run
from practicum.lxd import power

SECONDS = 60
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
FILE_EVENTS = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.link", "os.symlink")
READING = {"cat-file", "config", "diff-tree", "for-each-ref", "ls-files", "ls-remote", "ls-tree", "merge-base"}
READING |= {"rev-list", "rev-parse", "show", "status", "symbolic-ref", "var", "version"}


def main():
    power.SETTLE_SECONDS = 0
    for line in sys.stdin:
        task = json.loads(line)
        child = os.fork()
        if not child:
            work(task)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()


def work(task):
    signal.alarm(task.get("seconds", SECONDS))
    code = 99
    try:
        output = os.open(task["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        faulthandler.register(signal.SIGALRM, file=2, chain=True)
        if "effect" in task:
            sys.addaudithook(Effects(task["root"], task["effect"], task["effects"]).hook)
        for name, value in task.get("settings", {}).items():
            module, _, constant = name.rpartition(".")
            setattr(import_module(module), constant, value)
        code = run(task["arguments"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class Effects:
    """Counts the changes that this process makes below `root`, and dies before number `last` (0: never)."""

    def __init__(self, root, last, log):
        self.root, self.last, self.count = root, last, 0
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def hook(self, event, arguments):
        words = self.words(event, arguments)
        if words:
            self.count += 1
            if self.count == self.last:
                os.kill(os.getpid(), signal.SIGKILL)
            os.write(self.log, f"{words}\n".encode())

    def words(self, event, arguments):
        """Return what a change is, empty for what changes nothing."""
        if event == "subprocess.Popen":
            verb = git_verb(list(arguments[1]))
            return f"git {verb}" if verb and verb not in READING else ""
        changes = event in FILE_EVENTS or (event == "open" and arguments[2] and arguments[2] & WRITES)
        return f"{event} {arguments[0]}" if changes and str(arguments[0]).startswith(self.root) else ""


def git_verb(command):
    """Return the verb of a git command line, empty for another program's."""
    if command[0] != "git":
        return ""
    words = iter(command[1:])
    for word in words:
        if word in ("-C", "-c"):
            next(words)
        elif not word.startswith("-"):
            return str(word)
    return ""


if __name__ == "__main__":
    main()
