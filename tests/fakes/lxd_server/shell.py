"""Commands inside machines of the fake: the scripts of Practicum by their text, and a few words of shell."""

import gzip
import io
import shlex
import tarfile
from base64 import b64encode
from fnmatch import fnmatchcase
from hashlib import sha256

from lxd_server.world import Refusal
from practicum.lxd.activity import NOBODY, SESSIONS
from practicum.lxd.cleaning import REMOVE
from practicum.lxd.file_lists import LIST_FILES, LIST_PACKAGES
from practicum.lxd.file_lists import PLACE as FILE_LIST
from practicum.lxd.instances import SEED_SCRIPT
from practicum.lxd.kept import ARCHIVE, PACK, UNPACK
from practicum.lxd.secret_search import SEARCH
from practicum.lxd.steps import INSTALL, PLACE, SCRIPT, WAIT_FOR_BOOT
from practicum.lxd.systems import LIST
from practicum.probes.reach import REACH, STATUS
from practicum.stages.unclean import FAILED_UNITS

OPEN_PORTS = ("80", "22")
OPEN_TO_ALL = ("-", "prof")
DONE = (0, "", "")
FOLDERS = ("", "/dev", "/etc", "/etc/network", "/run", "/root", "/srv", "/tmp", "/home/student")


def run(world, project, found, command):
    """Return exit code, output and errors of a command; what nobody taught the fake fails as a refusal."""
    for words, answer in world.answers.items():
        if words in " ".join(command):
            return answer
    if command[0] == "timeout":
        command = command[2:]
    if command[:2] != ["sh", "-c"]:
        raise Refusal(0, "Command not found")
    script, arguments = command[2], command[4:]
    if script in SCRIPTS:
        return SCRIPTS[script](world, project, found, arguments)
    if script.startswith(INSTALL):
        found["packages"] = sorted({*found["packages"], *script.removeprefix(INSTALL).split()})
        return DONE
    if script.startswith(SCRIPT):
        found["ran"] = [*found["ran"], found["files"].pop(SCRIPT)[0]]
        return DONE
    return simple(world, project, found, script)


def place(world, project, found, path):
    """Return the files that a path is among, and its name there: the machine's own, or a mounted volume's."""
    mounts = [device for device in found["devices"].values() if "source" in device and below(path, device["path"])]
    if not mounts:
        return found["files"], path
    device = max(mounts, key=lambda one: len(one["path"]))
    volume = world.volumes[project, device["pool"], device["source"]]
    return volume["files"], path.removeprefix(device["path"]) or "/"


def has_folder(found, path):
    """Say whether the folder that a path is in exists: one that every image has, or one with a file in it."""
    folder = path.rpartition("/")[0]
    return folder in FOLDERS or any(below(name, folder) for name in found["files"])


def below(path, folder):
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def wait(world, project, found, arguments):
    return DONE


def search(world, project, found, arguments):
    """Print the number of a text and the path of a file that has it, for a list of texts that goes with the search."""
    if arguments[0] not in found["files"]:
        return 1, "", "the list of secrets did not arrive\n"
    listed = found["files"].pop(arguments[0])[0].splitlines()
    hits = [
        f"{number} {prefix}{path}\n"
        for prefix, files in file_systems(world, project, found)
        for path, file in sorted(files.items())
        for number, text in enumerate(listed, start=1)
        if text in file[0]
    ]
    return 0, "".join(hits), ""


def list_packages(world, project, found, arguments):
    return 0, "".join(f"{name} 1.0\n" for name in found["packages"]), ""


def list_files(world, project, found, arguments):
    """Write the list of all files, with those of volumes, where it is read from."""
    there = {f"{at}{path}": file for at, files in file_systems(world, project, found) for path, file in files.items()}
    facts = "".join(
        f"{0o100000 + mode:x} {uid} {gid} {len(data)} .{path}\t'.{path}'\n"
        for path, (data, uid, gid, mode) in there.items()
    )
    digests = "".join(f"{sha256(data).hexdigest()}  .{path}\n" for path, (data, *_) in there.items())
    found["files"][FILE_LIST] = (gzip.compress(f"{facts}\n{digests}whole\n".encode()), 0, 0, 0o644)
    return DONE


def failed_units(world, project, found, arguments):
    return 0, "".join(f"{unit}\n" for unit in found["files"].get("/run/failed-units", [b""])[0].decode().split()), ""


def put_in_place(world, project, found, arguments):
    target, staged, mode = arguments
    files, path = place(world, project, found, target)
    if staged not in found["files"]:
        return 1, "", f"chown: {staged}: No such file or directory\n"
    data, _, _, _ = found["files"].pop(staged)
    owner = (1000, 1000) if target.startswith("/home/student/") else (0, 0)
    files[path] = (data, *owner, int(mode, 8))
    return DONE


def remove(world, project, found, patterns):
    removed = []
    for prefix, files in file_systems(world, project, found):
        gone = [path for path in files if any(named(prefix + path, pattern) for pattern in patterns)]
        for path in gone:
            del files[path]
            removed.append(prefix + path)
    return 0, "".join(f"{path}\n" for path in sorted(removed)), ""


def file_systems(world, project, found):
    """Return the files of a machine's own disk and of each volume that it has, by where they are mounted."""
    mounts = [device for device in found["devices"].values() if "source" in device]
    volumes = [(one["path"], world.volumes[project, one["pool"], one["source"]]["files"]) for one in mounts]
    return [("", found["files"]), *volumes]


def named(path, pattern):
    """Say whether a pattern names a path or a folder above it."""
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) >= len(wanted) and all(map(fnmatchcase, parts, wanted))


def seed(world, project, found, arguments):
    mount, target, what = arguments
    device = next(one for one in found["devices"].values() if one.get("path") == target)
    volume = world.volumes[project, device["pool"], device["source"]]
    if what == "content":
        inside = {path.removeprefix(mount): file for path, file in found["files"].items() if below(path, mount)}
        volume["files"] |= inside
    volume["owner"] = (1000, 1000, 0o755) if mount.startswith("/home/student") else (0, 0, 0o755)
    return DONE


def reach(world, project, found, pairs):
    lines = []
    for address, port in zip(pairs[::2], pairs[1::2], strict=True):
        word = "open" if port in OPEN_PORTS and answers(world, project, found, address) else "closed"
        lines.append(f"{address} {port} {word}\n")
    return 0, "".join(lines), ""


def answers(world, project, found, address):
    """Say whether a machine can connect to an address: seats are closed to each other, the professor sees all."""
    seat = seat_of(found)
    for key, other in world.instances.items():
        addresses = [line.split()[1].split("/")[0] for line in interfaces(other) if line.strip().startswith("address ")]
        if key[0] == project and other["status"] == "Running" and address in addresses:
            return seat in OPEN_TO_ALL or seat == seat_of(other)
    return False


def interfaces(found):
    return found["config"].get("user.practicum.interfaces", "").splitlines()


def seat_of(found):
    return found["config"].get("user.practicum", "").rpartition("/")[2]


def status(world, project, found, arguments):
    address = arguments[0].split("/")[2].split(":")[0]
    return 0, "200" if answers(world, project, found, address) else "000", ""


def simple(world, project, found, script):
    """Interpret `echo`, `cat`, `true` and `exit`, with `;`, `&&`, `>` and `>&2`."""
    code, out, err = 0, "", ""
    for part in script.replace("&&", ";").split(";"):
        words = shlex.split(part)
        if words[0] == "echo" and ">" in words:
            files, path = place(world, project, found, words[-1])
            files[path] = ((" ".join(words[1:-2]) + "\n").encode(), 0, 0, 0o644)
        elif words[0] == "echo" and words[-1] == ">&2":
            err += " ".join(words[1:-1]) + "\n"
        elif words[0] == "echo":
            out += " ".join(words[1:]) + "\n"
        elif words[0] == "cat":
            files, path = place(world, project, found, words[1])
            if path not in files:
                return 1, out, err + f"cat: can't open '{words[1]}': No such file or directory\n"
            out += files[path][0].decode()
        elif words[0] == "exit":
            return int(words[1]), out, err
        elif words != ["true"]:
            raise Refusal(0, f"the fake does not know the command: {part}")
    return code, out, err


def listed(world, project, found, arguments):
    """Tell each file with its mode, owner and size; a content of its own stands for a time of change."""
    lines = "".join(
        f"{0o100000 + mode:x} {uid} {gid} {len(data)} {int.from_bytes(sha256(data).digest()[:4])} .{path}\n"
        for path, (data, uid, gid, mode) in sorted(found["files"].items())
    )
    return 0, b64encode(gzip.compress(lines.encode())).decode(), ""


def pack(world, project, found, patterns):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for path, (content, uid, gid, mode) in sorted(found["files"].items()):
            if any(named(path, pattern) for pattern in patterns):
                member = tarfile.TarInfo(f".{path}")
                member.uid, member.gid, member.mode, member.size = uid, gid, mode, len(content)
                archive.addfile(member, io.BytesIO(content))
    found["files"][ARCHIVE] = (data.getvalue(), 0, 0, 0o600)
    return DONE


def unpack(world, project, found, patterns):
    gone = [path for path in found["files"] if any(named(path, pattern) for pattern in patterns)]
    kept = {path: file for path, file in found["files"].items() if path not in (*gone, ARCHIVE)}
    with tarfile.open(fileobj=io.BytesIO(found["files"][ARCHIVE][0])) as archive:
        for one in archive:
            kept[one.name.removeprefix(".")] = (archive.extractfile(one).read(), one.uid, one.gid, one.mode)
    found["files"] = kept
    return DONE


def nobody(world, project, found, arguments):
    return NOBODY, "", ""


SCRIPTS = {SESSIONS: nobody, LIST: listed, PACK: pack, UNPACK: unpack}
SCRIPTS |= {WAIT_FOR_BOOT: wait, PLACE: put_in_place, REMOVE: remove, SEED_SCRIPT: seed, REACH: reach, STATUS: status}
SCRIPTS |= {SEARCH: search, LIST_PACKAGES: list_packages, LIST_FILES: list_files, FAILED_UNITS: failed_units}
