"""Operations of the fake LXD: work that goes on after the answer, waited for, lost with a restart."""

import threading
import time

from lxd_server.routes import route
from lxd_server.world import EPOCH, Latency, Refusal

SUCCESS, FAILURE, RUNNING = 200, 400, 103


class Operations:
    """The operations of one state of the fake; `lock` is held while anything changes."""

    def __init__(self, lock, latency=None):
        self.latency = latency or Latency()
        self.known = {}
        self.busy = {}
        self.lock = lock
        self.ended = threading.Condition(lock)

    def begin(self, identity, project, task, delay=0.0):
        """Begin a task; one that takes no time has ended when this returns."""
        names = {"id": identity, "class": "task", "description": task.description, "created_at": EPOCH}
        state = {"status": "Running", "status_code": RUNNING, "metadata": None, "err": "", "may_cancel": False}
        operation = {**names, **state, "project": project, "resources": task.resources, "location": "none"}
        self.known[identity] = operation
        if task.busy and self._refuses(operation, task.busy):
            return operation
        seconds = task.seconds + delay
        if seconds:
            threading.Thread(target=self._work, args=(operation, task, seconds), daemon=True).start()
        else:
            self._end(operation, task)
        return operation

    def _refuses(self, operation, busy):
        running = self.busy.get(busy[:2])
        if running is None:
            self.busy[busy[:2]] = busy[2]
            return False
        operation |= {"status": "Failure", "status_code": FAILURE}
        operation["err"] = f'Instance is busy running a "{running}" operation'
        return True

    def _work(self, operation, task, seconds):
        time.sleep(seconds)
        with self.lock:
            if operation["id"] in self.known:
                self._end(operation, task)

    def _end(self, operation, task):
        try:
            operation |= {"metadata": task.work(), "status": "Success", "status_code": SUCCESS}
        except Refusal as refusal:
            operation |= {"err": refusal.words, "status": "Failure", "status_code": FAILURE}
        if task.busy:
            self.busy.pop(task.busy[:2], None)
        self.ended.notify_all()

    def lose_all(self):
        """Forget everything that runs, as a daemon does that was restarted."""
        self.known.clear()
        self.busy.clear()

    def settle(self):
        """Wait until no work goes on; a terminal may stay open for hours. The lock is held."""
        tasks = [one for one in self.known.values() if one["class"] == "task"]
        self.ended.wait_for(lambda: all(one["status_code"] != RUNNING for one in tasks), 30)

    def open_terminal(self, project, name):
        """Let somebody open a terminal on a machine: an operation that runs as long as they sit there."""
        with self.lock:
            identity = f"terminal-{name}"
            where = {"instances": [f"/1.0/instances/{name}?project={project}"]}
            state = {"status": "Running", "status_code": RUNNING, "metadata": {"interactive": True}, "err": ""}
            names = {"id": identity, "class": "websocket", "description": "Executing command", "created_at": EPOCH}
            self.known[identity] = {**names, **state, "may_cancel": False, "project": project, "resources": where}

    def view(self, operation):
        return {key: value for key, value in operation.items() if key != "project"}


@route("GET", "/operations")
def operations(call):
    found = [one for one in call.operations.known.values() if one["project"] == call.project]
    listed = {}
    for one in found:
        listed.setdefault(one["status"].lower(), []).append(
            call.operations.view(one) if call.recursion else f"/1.0/operations/{one['id']}"
        )
    return listed


@route("GET", "/operations/*")
def operation(call):
    return call.operations.view(known(call))


@route("GET", "/operations/*/wait")
def wait(call):
    found, seconds = known(call), float(call.query.get("timeout", "600"))
    call.operations.ended.wait_for(lambda: found["status_code"] != RUNNING, seconds)
    return call.operations.view(found)


@route("DELETE", "/operations/*")
def cancel(call):
    known(call)
    raise Refusal(400, "Only running operations can be cancelled")


def known(call):
    if call.path[0] not in call.operations.known:
        raise Refusal(404, "Operation not found")
    return call.operations.known[call.path[0]]
