"""Root file systems of images: built by mmdebstrap from Debian packages, kept in a cache folder by recipe."""

import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from generator.catalogue.model import Artefact, Image
from generator.catalogue.recipe import recipe_digest
from practicum.errors import InputError, PermissionsError, PracticumError, UnavailableError

Report = Callable[[str], None]
Build = Callable[[Image, str | None, Path, Report], None]

# Kept in the image's dpkg configuration too, so that packages installed later stay small. Copyright files must stay.
DPKG_OPTIONS = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/lintian/*",
)

# What mmdebstrap says at the start of its longer steps, and what we say.
STEPS = {
    "running apt-get update": "reading Debian's package lists",
    "downloading packages": "downloading packages",
    "extracting archives": "unpacking the base system",
    "installing essential": "installing the base system",
    "installing remaining": "installing packages",
    "creating tarball": "packing the image",
}


def cache_folder() -> Path:
    """Return where built images are kept: `$XDG_CACHE_HOME/practicum/images`, by default below /var/cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "/var/cache") / "practicum" / "images"


def cached_rootfs(
    image: Image,
    mirror: str | None,
    report: Report,
    folder: Path | None = None,
    *,
    build: Build | None = None,
    name: str = "rootfs.tar.zst",
) -> Path:
    """Return the cached tarball of `image`, built now when the recipe has none yet.

    `build` makes another thing of the image than a tarball; the suffixes of `name` are those of what is made. Of
    several builders of one recipe one builds and the others wait for it. A build that is interrupted leaves nothing
    but working files, which go with the next build.
    """
    folder = folder or cache_folder()
    target = folder / f"{recipe_digest(image).removeprefix('sha256:')}{name[name.index('.') :]}"
    if target.exists():
        return target
    _require_builder()
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(target.with_suffix(".lock"), report):
        if not target.exists():
            _sweep(folder)
            _build_into(target, name, lambda made: (build or build_rootfs)(image, mirror, made, report))
    return target


def build_rootfs(image: Image, mirror: str | None, destination: Path, report: Report) -> None:
    """Build the root file system of `image`: a tarball (`….tar.zst`) or a folder, as the name of `destination` says.

    `mirror` is a Debian archive (`http://host/debian`); None means mmdebstrap's own default. Raises
    PermissionsError without root, UnavailableError without mmdebstrap, PracticumError when the build fails.
    """
    _require_builder()
    with tempfile.TemporaryDirectory(prefix="files-", dir=destination.parent) as staged:
        _stage_files(image, Path(staged))
        command = mmdebstrap_command(image, mirror, Path(staged), destination)
        _run(command, destination.parent, report)


def mmdebstrap_command(image: Image, mirror: str | None, staged: Path, destination: Path) -> list[str]:
    """Return the command line that builds `image`; files stand ready in the folder `staged`."""
    options = [f"--dpkgopt={option}" for option in DPKG_OPTIONS]
    scripts = [f'--customize-hook=chroot "$1" sh -euc {shlex.quote(script)}' for script in image.scripts]
    return [
        *("mmdebstrap", "--mode=root", "--variant=minbase"),
        f"--include={','.join(sorted(image.packages))}",
        *options,
        f'--essential-hook=cp -r {shlex.quote(str(staged))}/. "$1"/',
        *scripts,
        image.suite,
        str(destination),
        *apt_sources(image.suite, mirror),
    ]


def apt_sources(suite: str, mirror: str | None) -> list[str]:
    """Return the lines of sources.list; none leaves the choice to mmdebstrap.

    Debian's mirrors hold security updates next to `…/debian` in `…/debian-security`; another layout gets none.
    """
    if not mirror:
        return []
    base = mirror.rstrip("/")
    lines = [f"deb {base} {suite} main", f"deb {base} {suite}-updates main"]
    if base.endswith("/debian"):
        lines.append(f"deb {base}-security {suite}-security main")
    return lines


def _require_builder() -> None:
    if shutil.which("mmdebstrap") is None:
        raise UnavailableError(
            "mmdebstrap is not installed, so no image can be built", resolution="run 'apt-get install mmdebstrap'"
        )
    if os.geteuid() != 0:
        raise PermissionsError(
            "building an image needs root",
            resolution="run the same command as root once; the image is used by everyone afterwards",
        )


def _build_into(target: Path, name: str, build: Callable[[Path], None]) -> None:
    work = target.with_suffix(".work")
    _remove_work(work)
    work.mkdir(mode=0o755)
    try:
        built = work / name
        build(built)
        with built.open("rb") as file:
            os.fsync(file.fileno())
        built.replace(target)
    finally:
        _remove_work(work)


def _sweep(folder: Path) -> None:
    """Remove the working files of builds that were killed; those that go on hold their lock."""
    for work in folder.glob("*.work"):
        with work.with_suffix(".lock").open("w") as file, contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove_work(work)


def _remove_work(work: Path) -> None:
    """Remove a build's working files, and first what a killed build left mounted in them."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in reversed([mount for mount in mounts if mount.startswith(f"{work}/")]):
        subprocess.run(["umount", "--lazy", mount], check=True)
    if work.exists():
        shutil.rmtree(work)


def _stage_files(image: Image, folder: Path) -> None:
    for name, content in image.files.items():
        path = folder / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    for name, artefact in image.artefacts.items():
        _stage_artefact(artefact, folder / name.lstrip("/"))


def _stage_artefact(artefact: Artefact, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(artefact.path, path)
    except OSError as error:
        raise UnavailableError(
            f"{artefact.path}, which platform.yaml names, cannot be read; nothing was done",
            details=str(error),
            resolution="put the file there, or mend its path under 'kubernetes:' in the environment's platform.yaml",
        ) from error
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != artefact.sha256:
        raise InputError(
            f"{artefact.path} is not the file that platform.yaml names; nothing was done",
            details=f"its sha256 is {found}, not {artefact.sha256}",
            resolution="look where the file came from; then write its sha256 under 'kubernetes:' in platform.yaml",
        )
    path.chmod(0o755)


@contextmanager
def _locked(path: Path, report: Report) -> Iterator[None]:
    """Hold a lock that mmdebstrap inherits: killed with us, it still takes seconds to end, and has its mounts."""
    with path.open("w") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("waiting for another build of the same image")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _report_step(line: str, report: Report) -> None:
    for beginning, step in STEPS.items():
        if line.startswith(f"I: {beginning}"):
            report(step)


def _run(command: list[str], folder: Path, report: Report) -> None:
    """Run mmdebstrap to its end; it ends with us, also when we are killed (setpriv)."""
    environment = {**os.environ, "TMPDIR": str(folder), "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    command = ["setpriv", "--pdeathsig", "TERM", "--", *command]
    last: deque[str] = deque(maxlen=15)
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", env=environment, umask=0o022, close_fds=False,
    ) as process:  # fmt: skip
        try:
            for line in process.stdout or ():
                last.append(line.rstrip())
                _report_step(line, report)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise PracticumError(
            "building the image failed",
            details="\n".join(last),
            resolution="check that the Debian mirror answers and that the package names exist in the suite",
        )
