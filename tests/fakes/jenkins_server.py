"""A small stateful Jenkins over HTTP, with the ways of the real one (2.555) that surprise its clients.

Waiting is by questions: a queue item starts when it was asked about `patience` times. What the server does not know is
answered with 501 and kept in `unknown`.
"""

import base64
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

USER, TOKEN, PASSWORD = "bot", "11abcdefabcdef", "hunter2hunter2"
PAGE = "<html><head><style>body {{}}</style></head><body><h1>{}</h1><p>{}</p></body></html>"


@dataclass
class Job:
    """A job: `choices` are the values that a parameter may have; `log` the pieces in which its builds' logs come."""

    parameters: dict = field(default_factory=dict)
    config: str = "<flow-definition/>"
    multibranch: bool = False
    disabled: bool = False
    log: list = field(default_factory=lambda: [b"done\n"])
    result: str = "SUCCESS"
    builds: dict = field(default_factory=dict)  # number → queue id
    revisions: list = field(default_factory=list)


@dataclass
class Item:
    job: str
    parameters: dict
    asked: int = 0
    number: int | None = None
    cancelled: bool = False


class FakeJenkins(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.jobs, self.items, self.unknown, self.seen = {}, {}, [], []
        self.patience, self.crumbs, self.scans = 1, 0, []
        self.forgetful, self.broken = False, 0
        self.plugins, self.agents, self.stores = {}, {}, {}
        self.reloads, self.refuses_configuration = 0, ""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_error):
        self.shutdown()
        self.server_close()

    def new_session(self):
        """Let every crumb that was given out be stale."""
        self.crumbs += 1

    @property
    def crumb(self):
        return f"crumb-{self.crumbs}"

    def queue(self, job, parameters):
        """Return the id of a new queue item; None when one like it waits, which is all that Jenkins says then."""
        if any((one.job, one.parameters, one.number) == (job, parameters, None) for one in self.items.values()):
            return None
        number = len(self.items) + 1
        self.items[number] = Item(job, parameters)
        return number

    def look(self, number):
        """Return an item for somebody who asks about it; it may start by that."""
        item = self.items[number]
        item.asked += 1
        if item.asked > self.patience and item.number is None and not item.cancelled:
            job = self.jobs[item.job]
            item.number = len(job.builds) + 1
            job.builds[item.number] = number
        return item


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        pass

    def do_GET(self):
        self.answer("GET")

    def do_POST(self):
        self.answer("POST")

    def answer(self, method):
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length).decode()
        parts = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.server.seen.append(f"{method} {self.path}")
        if self.server.broken and method == "GET":
            self.server.broken -= 1
            return self.send(502, PAGE.format("Bad Gateway", "restarting"))
        if (code := self.refused(method)) is not None:
            return self.send(code, PAGE.format("Error", f"No valid crumb, or no access with {self.secret}"))
        for form, handle in ROUTES[method]:
            if match := re.fullmatch(form, parts.path):
                return handle(self, *match.groups())
        self.server.unknown.append(f"{method} {self.path}")
        return self.send(501, "the fake does not know this")

    def refused(self, method):
        self.secret = "nothing"
        kind, _, code = (self.headers.get("Authorization") or "").partition(" ")
        if kind != "Basic":
            return 403
        user, _, self.secret = base64.b64decode(code).decode().partition(":")
        if user != USER or self.secret not in (TOKEN, PASSWORD):
            return 401
        needs_crumb = method == "POST" and self.secret == PASSWORD
        return 403 if needs_crumb and self.headers.get("Jenkins-Crumb") != self.server.crumb else None

    def send(self, code, text, **headers):
        data = text if isinstance(text, bytes) else text.encode()
        self.send_response(code)
        self.send_header("X-Jenkins", "2.555.3")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def send_json(self, document):
        self.send(200, json.dumps(document))

    def job(self, path):
        """Return the name and the job of an address; answers 404 when there is none."""
        name = path.strip("/").removeprefix("job/").replace("/job/", "/")
        found = self.server.jobs.get(name)
        if found is None:
            self.send(404, PAGE.format("Not Found", path))
        return name, found

    # What can be asked.

    def top(self):
        self.send_json({"mode": "NORMAL"})

    def crumb(self):
        self.send_json({"crumb": self.server.crumb, "crumbRequestField": "Jenkins-Crumb"})

    def queue_item(self, number):
        if int(number) not in self.server.items:
            return self.send(404, PAGE.format("Not Found", number))
        item = self.server.look(int(number))
        if item.number is not None and self.server.forgetful:
            return self.send(404, PAGE.format("Not Found", "expired"))
        found = {"id": int(number), "why": None if item.number else "Waiting for next available executor"}
        found |= {"executable": {"number": item.number}} if item.number else {}
        return self.send_json(found | ({"cancelled": True} if item.cancelled else {}))

    def queue_list(self):
        waiting = {number: one for number, one in self.server.items.items() if one.number is None}
        address = self.server.url + "/job/{}/"
        self.send_json(
            {
                "items": [
                    {"id": number, "why": "no agent", "task": {"url": address.format(one.job.replace("/", "/job/"))}}
                    for number, one in waiting.items()
                ]
            }
        )

    def job_page(self, path):
        _, found = self.job(path)
        if found is not None:
            self.send(200, PAGE.format("a job", "its page"))

    def job_api(self, path):
        name, found = self.job(path)
        if found is not None:
            children = [one.rsplit("/", 1)[1] for one in self.server.jobs if one.rpartition("/")[0] == name]
            builds = [{"number": number, "queueId": item} for number, item in reversed(found.builds.items())]
            last = {"number": max(found.builds), "result": found.result} if found.builds else None
            seen = [{}, *({"lastBuiltRevision": {"SHA1": one}} for one in found.revisions)]
            document = {"jobs": [{"name": one} for one in children], "builds": builds}
            self.send_json({**document, "lastCompletedBuild": last and {**last, "actions": seen}})

    def config(self, path):
        _, found = self.job(path)
        if found is not None:
            self.send(200, found.config)

    def build_api(self, path, number):
        _, found = self.job(path)
        if found is not None:
            self.send_json({"building": False, "result": found.result, "number": int(number)})

    def log(self, path, _number):
        _, found = self.job(path)
        start = int(self.query["start"])
        ends = [sum(map(len, found.log[: count + 1])) for count in range(len(found.log))]
        piece = next((one for one, end in zip(found.log, ends, strict=True) if end > start), b"")
        end = start + len(piece)
        more = {"X_More_Data": "true"} if end < ends[-1] else {}
        self.send(200, piece, X_Text_Size=str(end), **more)

    def store(self, path):
        name = path.strip("/").removeprefix("job/").replace("/job/", "/")
        if name not in self.server.stores:
            return self.send(404, PAGE.format("Not Found", path))
        return self.send_json({"credentials": [{"id": one} for one in self.server.stores[name]]})

    def plugin_list(self):
        listed = [
            {"shortName": name, "version": version, "active": True} for name, version in self.server.plugins.items()
        ]
        self.send_json({"plugins": listed})

    def computers(self):
        listed = [
            {"displayName": name, "offline": bool(why), "offlineCauseReason": why or None}
            for name, why in self.server.agents.items()
        ]
        self.send_json({"computer": listed})

    # What can be done.

    def build(self, path):
        name, found = self.job(path)
        if found is None:
            return None
        if found.disabled:
            return self.send(409, PAGE.format("Conflict", f"{name} is not buildable"))
        if found.multibranch:
            self.server.scans.append(name)
            return self.send(302, "", Location=f"{self.server.url}{path}/")
        if found.parameters:
            return self.send(400, PAGE.format("Oops!", "Nothing is submitted"))
        return self.queued(path, name, {})

    def build_with_parameters(self, path):
        name, found = self.job(path)
        if found is None:
            return None
        given = {key: values[0] for key, values in parse_qs(self.body, keep_blank_values=True).items()}
        if any(found.parameters.get(key) and value not in found.parameters[key] for key, value in given.items()):
            return self.send(500, PAGE.format("Oops!", f"Illegal choice; asked with {TOKEN}"))
        return self.queued(path, name, {key: value for key, value in given.items() if key in found.parameters})

    def queued(self, path, name, parameters):
        number = self.server.queue(name, parameters)
        if number is None:
            return self.send(302, "", Location=f"{self.server.url}{path}/")
        return self.send(201, "", Location=f"{self.server.url}/queue/item/{number}/")

    def not_by_get(self, _path):
        self.send(405, PAGE.format("Error", "GET is not supported"))

    def reload(self):
        if self.server.refuses_configuration:
            return self.send(500, PAGE.format("Oops!", self.server.refuses_configuration))
        self.server.reloads += 1
        return self.send(302, "", Location=f"{self.server.url}/")


JOB = r"((?:/job/[^/]+)+)"
ROUTES = {
    "GET": [
        ("/api/json", Handler.top),
        ("/", Handler.top),
        ("/crumbIssuer/api/json", Handler.crumb),
        (r"/queue/item/(\d+)/api/json", Handler.queue_item),
        ("/queue/api/json", Handler.queue_list),
        ("/pluginManager/api/json", Handler.plugin_list),
        ("/computer/api/json", Handler.computers),
        (f"{JOB}/credentials/store/folder/domain/_/api/json", Handler.store),
        (f"{JOB}/buildWithParameters", Handler.not_by_get),
        (f"{JOB}/config.xml", Handler.config),
        (rf"{JOB}/(\d+)/api/json", Handler.build_api),
        (rf"{JOB}/(\d+)/logText/progressiveText", Handler.log),
        (f"{JOB}/api/json", Handler.job_api),
        (f"{JOB}/", Handler.job_page),
    ],
    "POST": [
        (f"{JOB}/build", Handler.build),
        (f"{JOB}/buildWithParameters", Handler.build_with_parameters),
        ("/configuration-as-code/reload", Handler.reload),
    ],
}
