"""A proxy before LXD's socket that kills its client at a chosen changing request, before or after LXD got it."""

import os
import signal
import socket
import socketserver
import struct
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

CHANGING = (b"POST", b"PUT", b"PATCH", b"DELETE")
BLOCK = 2**16


class KillingProxy:
    """Stands at `path` before LXD at `target`. `calls` are the changing requests since `arm`, `killed` the kills."""

    def __init__(self, path: Path, target: str) -> None:
        self.path, self.target = path, target
        self.calls: list[str] = []
        self.killed: list[str] = []
        self._at, self._phase = 0, ""
        self._lock = threading.Lock()
        self._server = _Server(str(path), _Handler)
        self._server.proxy = self

    def __enter__(self) -> "KillingProxy":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.path.unlink(missing_ok=True)

    def arm(self, at: int, phase: str) -> None:
        """Kill the client of changing request number `at` from now on, `before` or `after`; 0 kills nobody."""
        with self._lock:
            self.calls, self._at, self._phase = [], at, phase

    def strikes(self, line: bytes) -> str:
        """Count a request; return the phase to kill in, or nothing."""
        if not line.startswith(CHANGING):
            return ""
        with self._lock:
            self.calls.append(line.decode().rsplit(" ", 1)[0])
            return self._phase if len(self.calls) == self._at else ""

    def kill(self, client: int, phase: str, line: bytes) -> None:
        self.killed.append(f"{phase} {line.decode()}")
        os.kill(client, signal.SIGKILL)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64
    proxy: KillingProxy

    def handle_error(self, *_: Any) -> None:
        """Say nothing: clients that are killed leave broken connections."""


class _Handler(socketserver.StreamRequestHandler):
    """One request a connection: LXD is asked to close behind its answer, which is then known to be whole."""

    server: _Server

    def handle(self) -> None:
        line = self.rfile.readline()
        headers = list(iter(self.rfile.readline, b"\r\n"))
        if not line:
            return
        size = next((int(h.split(b":")[1]) for h in headers if h.lower().startswith(b"content-length:")), 0)
        proxy, client = self.server.proxy, _process_of(self.request)
        phase = proxy.strikes(line.strip())
        if phase == "before":
            proxy.kill(client, phase, line.strip())
            return
        kept = [header for header in headers if not header.lower().startswith(b"connection:")]
        with socket.socket(socket.AF_UNIX) as lxd:
            lxd.connect(proxy.target)
            # LXD may refuse and close before it has read all: its answer is there nevertheless.
            with suppress(BrokenPipeError):
                lxd.sendall(b"".join([line, *kept, b"Connection: close\r\n\r\n"]))
                while size:
                    block = self.rfile.read(min(size, BLOCK))
                    lxd.sendall(block)
                    size -= len(block)
            answer = _all(lxd)
        if phase == "after":
            proxy.kill(client, phase, line.strip())
            return
        self.wfile.write(answer)


def _all(connection: socket.socket) -> bytes:
    answer = b""
    with suppress(ConnectionResetError):
        while block := connection.recv(BLOCK):
            answer += block
    return answer


def _process_of(connection: socket.socket) -> int:
    size = struct.calcsize("3i")
    return int(struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[0])
