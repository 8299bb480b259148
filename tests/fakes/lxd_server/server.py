"""The HTTP server of the fake LXD, on a unix socket."""

import copy
import json
import os
import signal
import socket
import socketserver
import struct
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from lxd_server import backups, instances, server_objects, storage
from lxd_server.faults import Faults
from lxd_server.operations import Operations
from lxd_server.routes import Async, Call, Raw, find
from lxd_server.world import Latency, Refusal, World

ROOMS = (backups, instances, server_objects, storage)
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
# Synchronous requests that take their time.
SLOW = {("POST", "networks"): "network", ("DELETE", "networks"): "network_delete", ("POST", "network-acls"): "acl"}


class Gone(Exception):
    """The connection ends without an answer."""


class FakeLxd:
    """A fake LXD at `path`. `world` is what stands there, `log` the changing requests, `faults` what goes wrong."""

    def __init__(self, path, world=None, latency=None):
        self.path = Path(path)
        self.latency = latency or Latency()
        self.faults = Faults()
        self.log = []
        self._bridges = threading.Lock()
        self.reset(world or World())

    def __enter__(self):
        self.path.unlink(missing_ok=True)
        self._server = _Server(str(self.path), _Handler)
        self._server.fake = self
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self.path.unlink(missing_ok=True)

    def reset(self, world, faults=None):
        """Begin anew with a copy of a state; requests of before, still under way, change the old one."""
        self.lock = threading.RLock()
        self.world = copy.deepcopy(world)
        self.operations = Operations(self.lock, self.latency)
        self.faults = faults or Faults()
        self.log = []

    def snapshot(self):
        """Return a copy of the state when nothing runs any more."""
        with self.lock:
            self.operations.settle()
            return copy.deepcopy(self.world)

    def answer(self, method, target, headers, body, client):
        """Return (status, headers, bytes) for a request. Raises Gone when the connection shall end."""
        address = urlsplit(target)
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        found = find(method, address.path)
        world, operations, faults, lock = self.world, self.operations, self.faults, self.lock
        number = self._count(method, address) if method in CHANGING else 0
        if faults.is_away():
            raise Gone
        if found is None:
            return _json({"type": "error", "error": f"the fake knows no {method} {target}", "error_code": 501}, 501)
        function, parts = found
        call = Call(world, method, address.path, parts, query, body, headers, operations)
        struck = faults.strikes(number, f"{method} {address.path}")
        if struck:
            faults.hit.set()
            self._before(faults, client, operations)
        if struck and faults.refuse:
            return _json({"type": "error", "error": faults.refuse, "error_code": 500}, 500)
        delay = faults.later if struck and (faults.kill == "later" or faults.drop == "answered") else 0.0
        self._take_time(method, parts, address, delay)
        answer = self._apply(function, call, lock, delay)
        if struck:
            self._after(faults, client, operations)
        return answer

    def _count(self, method, address):
        with self.lock:
            self.log.append(f"{method} {address.path}")
            return len(self.log)

    def _take_time(self, method, parts, address, delay):
        room = address.path.split("/")[2] if address.path.count("/") > 1 else ""
        seconds = delay + getattr(self.latency, SLOW.get((method, room), ""), 0.0)
        if seconds and (method, room) == ("POST", "networks"):
            with self._bridges:  # LXD makes bridges one by one
                time.sleep(seconds)
        elif seconds and (method, room) in SLOW:
            time.sleep(seconds)

    def _apply(self, function, call, lock, delay):
        with lock:
            try:
                result = function(call)
                if isinstance(result, Async):
                    began = call.operations.begin(call.world.identity(), call.project, result, delay)
                    words = {"type": "async", "status": "Operation created", "status_code": 100}
                    where = f"/1.0/operations/{began['id']}"
                    return _json({**words, "operation": where, "metadata": call.operations.view(began)}, 202)
            except Refusal as refusal:
                status = refusal.status or 500
                return _json({"type": "error", "error": refusal.words, "error_code": status}, status)
            if isinstance(result, Raw):
                return 200, {"Content-Type": result.kind, **result.headers}, result.data
            answer = {"type": "sync", "status": "Success", "status_code": 200, "metadata": result}
            return _json(answer, 200, {"ETag": call.tag} if call.tag else {})

    def _before(self, faults, client, operations):
        if faults.kill in ("before", "later"):
            os.kill(client, signal.SIGKILL)
        if faults.kill == "before":
            raise Gone
        if faults.interrupt:
            os.kill(client, signal.SIGINT)
        if faults.drop == "before":
            self._restart(faults, operations)
        if faults.hang:
            time.sleep(faults.away)

    def _after(self, faults, client, operations):
        if faults.kill == "after":
            os.kill(client, signal.SIGKILL)
        if faults.kill:
            raise Gone
        if faults.drop == "after":
            self._restart(faults, operations)
        if faults.drop == "answered":
            with suppress(Gone):
                self._restart(faults, operations)

    def _restart(self, faults, operations):
        """Go away: the socket is not there for a while, what was connected is cut off, operations are lost."""
        faults.back = time.monotonic() + faults.away
        faults.at = 0
        aside = self.path.with_suffix(".away")
        self.path.rename(aside)
        threading.Timer(faults.away, aside.rename, [self.path]).start()
        with self.lock:
            operations.lose_all()
        raise Gone


def _json(document, status, headers=None):
    return status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(document).encode()


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        """Say nothing: clients that are killed leave broken connections."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _body(self):
        """Return the body of a request; of one that is a stream its chunks, RFC 9112 section 7.1."""
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = b""
        while length := int(self.rfile.readline(), 16):
            found += self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _handle(self):
        data = self._body()
        headers = {key.lower(): value for key, value in self.headers.items()}
        body = json.loads(data) if data and "json" in headers.get("content-type", "") else data
        try:
            status, extra, content = self.server.fake.answer(self.command, self.path, headers, body, self._client())
        except Gone:
            self.close_connection = True
            return
        except Exception as error:  # a bug of the fake must be seen, not waited for
            status, extra, content = _json({"type": "error", "error": f"fake: {error!r}", "error_code": 500}, 500)
        with suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(status)
            for key, value in {**extra, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

    def _client(self):
        """Return the process id of the client, as the kernel tells it."""
        size = struct.calcsize("3i")
        return struct.unpack("3i", self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[0]

    def log_message(self, *_):
        """Say nothing."""
