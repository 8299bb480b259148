"""Git over HTTP beside the fake GitLab: git's own http-backend, and a hook that asks the fake what to answer.

GitLab works like that too: its post-receive hook asks the internal API and prints what that says.
"""

import base64
import gzip
import os
import subprocess
import sys
import textwrap

BOT = "practicum-bot"
_HOOK = """\
    #!{python}
    import json, os, sys, urllib.request
    options = [os.environ[f"GIT_PUSH_OPTION_{{n}}"] for n in range(int(os.environ.get("GIT_PUSH_OPTION_COUNT") or 0))]
    told = {{"refs": [line.split() for line in sys.stdin], "options": options, "user": os.environ.get("REMOTE_USER")}}
    asked = urllib.request.Request("{url}/internal/{name}", json.dumps(told).encode())
    answer = json.load(urllib.request.urlopen(asked))
    print(answer["text"], flush=True)
    sys.exit(answer["code"])
"""


def make_project(fake, folder):
    """Make the bare repository of the fake's project, and let the fake serve it."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    take_over(fake, folder)


def take_over(fake, folder):
    """Let pushes to a bare repository be answered as GitLab answers them, however they come."""
    fake.folder = folder
    for name, value in (("http.receivepack", "true"), ("receive.advertisePushOptions", "true")):
        subprocess.run(["git", "-C", str(folder), "config", name, value], check=True)
    for name in ("pre-receive", "post-receive"):
        hook = folder / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        text = _HOOK.format(python=sys.executable, url=fake.server_url, name=name)
        hook.write_text(textwrap.dedent(text))
        hook.chmod(0o755)


def serve_git(fake, handler):
    """Answer a request for the repository as git's own CGI program does."""
    user = _user(fake, handler.headers.get("Authorization", ""))
    if user is None:
        return 401, {"WWW-Authenticate": 'Basic realm="GitLab"'}, b"HTTP Basic: Access denied"
    path, _, query = handler.path.partition("?")
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    if handler.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
        "GIT_PROJECT_ROOT": str(fake.folder.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{fake.folder.name}{path.split('.git', 1)[1]}",
        "QUERY_STRING": query,
        "REQUEST_METHOD": handler.command,
        "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_USER": user,
        "REMOTE_ADDR": "127.0.0.1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **({"GIT_PROTOCOL": version} if (version := handler.headers.get("Git-Protocol")) else {}),
    }
    done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=True)
    head, _, answer = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    return int(headers.pop("Status", "200").split()[0]), headers, answer


def _user(fake, authorization):
    name, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    return name if password in fake.tokens else None


def answer_hook(fake, name, told):
    """Return what a hook prints and how it ends."""
    if name == "pre-receive":
        refused = fake.refuses_push
        return {"text": f"GitLab: {refused}" if refused else "", "code": 1 if refused else 0}
    lines = []
    for old, new, ref in told["refs"]:
        if ref.startswith("refs/heads/"):
            lines += _pushed(fake, ref.removeprefix("refs/heads/"), new if set(new) != {"0"} else None, told["options"])
        del old
    fake.push_options.append(told["options"])
    return {"text": "\n".join(lines), "code": 0}


def _pushed(fake, branch, commit, options):
    """Do what GitLab's PushOptionsHandlerService does with a pushed branch: make a request, or update the open one."""
    if commit is None:
        fake.branches.pop(branch, None)
        return []
    fake.branches[branch] = commit
    said = dict(option.removeprefix("merge_request.").partition("=")[::2] for option in options)
    opened = [one for one in fake.requests if (one["source_branch"], one["state"]) == (branch, "opened")]
    if not fake.push_warning and said.keys() & {"create", "title", "description"}:
        given = {key: said[key].replace("\\n", "\n") for key in ("title", "description") if key in said}
        given |= {"labels": said["label"]} if "label" in said else {}
        people = [user["id"] for user in fake.users if user["username"] == said.get("assign")]
        if opened:
            fake.update_request(opened[0], given)
        else:
            given["assignee_ids"] = [fake.users[0]["id"], *people]  # whoever pushes is one too
            opened = [fake.open_request(fake.users[0], source_branch=branch, target_branch="main", **given)]
    return [*_framed(fake.push_warning), *_links(fake, branch, opened)]


def _framed(warning):
    if not warning:
        return []
    words = textwrap.wrap(f"Error encountered with push options 'merge_request.create': {warning}", 60)
    return ["", "=" * 72, "", "WARNINGS:".center(72), *(line.center(72) for line in words), "", "=" * 72, ""]


def _links(fake, branch, opened):
    if branch == "main":
        return []
    if opened:
        return ["", f"View merge request for {branch}:", f"  {fake.url}/-/merge_requests/{opened[0]['iid']}", ""]
    new = f"{fake.url}/-/merge_requests/new?merge_request%5Bsource_branch%5D={branch.replace('/', '%2F')}"
    return ["", f"To create a merge request for {branch}, visit:", f"  {new}", ""]


def merge_in(fake, branch, target="main"):
    """Merge a branch as GitLab's button does; return the merge commit, and leave the branch to whoever removes it."""

    def git(*words):
        identity = ["-c", "user.name=GitLab", "-c", "user.email=gitlab@example.org"]
        done = subprocess.run(["git", "-C", str(fake.folder), *identity, *words], capture_output=True, check=True)
        return done.stdout.decode().strip()

    tree = git("merge-tree", "--write-tree", target, branch)
    made = git("commit-tree", tree, "-p", target, "-p", branch, "-m", f"Merge branch '{branch}' into '{target}'")
    git("update-ref", f"refs/heads/{target}", made)
    return made
