"""Archives are plain tar files that have their name when they are whole, and tell when something in them changed."""

import hashlib
import json
import tarfile

import pytest

from practicum.errors import InputError
from practicum.lxd import archives
from practicum.lxd.archives import FORMAT, member, read_manifest, verify, writing

PIECES = [b"a" * 700, b"b" * 512, b"c"]
WHOLE = b"".join(PIECES)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "net101-fw-s001.tar"
    with writing(path) as archive:
        written = archive.add("home.tar", iter(PIECES))
        empty = archive.add("work.tar", iter([]))
        volumes = [
            {"member": name, "size": one.size, "sha256": one.sha256}
            for name, one in (("home.tar", written), ("work.tar", empty))
        ]
        archive.finish({"format": FORMAT, "seat": "s001", "volumes": volumes})
    return path


def test_any_tar_opens_it(file):
    with tarfile.open(file) as archive:
        assert [(one.name, one.size, one.mode) for one in archive][:2] == [
            ("home.tar", len(WHOLE), 0o600),
            ("work.tar", 0, 0o600),
        ]
        assert archive.extractfile("home.tar").read() == WHOLE
        assert json.load(archive.extractfile("manifest.json"))["seat"] == "s001"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_size % 512 == 0


def test_its_manifest_says_what_is_in_it(file):
    manifest = read_manifest(file)
    assert [one["sha256"] for one in manifest["volumes"]] == [
        hashlib.sha256(WHOLE).hexdigest(),
        hashlib.sha256(b"").hexdigest(),
    ]
    verify(file, manifest)
    with member(file, "home.tar") as stream:
        assert stream.read() == WHOLE


@pytest.mark.parametrize("at", [512, 512 + len(WHOLE) - 1])
def test_one_changed_byte_is_told(file, at):
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(InputError, match=r"home\.tar is not what the export wrote"):
        verify(file, read_manifest(file))


@pytest.mark.parametrize("data", [b"", b"no archive", None])
def test_what_is_no_archive_is_told(file, data):
    file.write_bytes(file.read_bytes()[:1500] if data is None else data)
    with pytest.raises(InputError, match="no archive of an export"):
        read_manifest(file)


def test_a_manifest_of_another_version_is_told(tmp_path):
    path = tmp_path / "x.tar"
    with writing(path) as archive:
        archive.finish({"format": FORMAT + 1})
    with pytest.raises(InputError, match="a version that this one does not know"):
        read_manifest(path)


def test_a_member_that_is_missing_is_told(file):
    manifest = {"volumes": [{"member": "other.tar", "sha256": ""}]}
    with pytest.raises(InputError, match=r"other\.tar cannot be read"):
        verify(file, manifest)


def test_what_breaks_off_leaves_the_archive_before(file):
    before = file.read_bytes()

    def broken():
        yield b"half"
        raise RuntimeError

    with pytest.raises(RuntimeError), writing(file) as archive:
        archive.add("home.tar", broken())
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_member_may_be_longer_than_a_plain_header_can_say():
    header = archives._header("home.tar", 9 * 2**30)
    assert len(header) == 512
    assert tarfile.TarInfo.frombuf(header, "utf-8", "strict").size == 9 * 2**30
