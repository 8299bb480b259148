"""What the script wrote is read whole or not at all, and what is kept is the same bytes for the same lists."""

import gzip

import pytest

from practicum.lxd.errors import LxdConflict, LxdError
from practicum.lxd.file_lists import PLACE, FileList, keep, list_files, read, summary

SHA = "9b74c9897bac770ffc029102a200c5de" * 2
WRITTEN = f"""\
81a4 0 0 3 ./etc/app\t'./etc/app'
81a4 0 0 3 ./etc/with space\t'./etc/with space'
a1ff 0 0 7 ./etc/link\t'./etc/link' -> 'target'
21b6 0 5 0 ./srv/device\t'./srv/device'

{SHA}  ./etc/app
{SHA[::-1]}  ./etc/with space
whole
"""


class Machine:
    """A running machine whose script writes what it is told, and an LXD that keeps images."""

    def __init__(self, written=WRITTEN, code=0):
        self.files, self.images, self.code = {PLACE: gzip.compress(written.encode())}, {}, code

    def run(self, instance, command, *, project, timeout):
        return type("Result", (), {"exit_code": self.code, "stdout": "", "stderr": "no find"})()

    def download(self, *path, project, **params):
        content = self.files[params["path"]] if "path" in params else self.images[path[1]]
        return type("Answer", (), {"content": content})()

    def delete(self, *path, project, **params):
        del self.files[params["path"]]

    def upload(self, *path, data, headers, project):
        import hashlib

        name = hashlib.sha256(data).hexdigest()
        if name in self.images:
            raise LxdConflict("Image with same fingerprint already exists")
        self.images[name] = data


def test_each_kind_of_file_is_told_apart():
    machine = Machine()
    found = list_files(machine, "p", "c1-web")
    assert found["/etc/app"] == f"81a4 0 0 3 {SHA[:24]}"
    assert found["/etc/with space"] == f"81a4 0 0 3 {SHA[::-1][:24]}"
    assert found["/srv/device"] == "21b6 0 5 0 "
    other = list_files(Machine(WRITTEN.replace("target", "tarpit")), "p", "c1-web")
    assert [path for path in found if found[path] != other[path]] == ["/etc/link"]
    assert machine.files == {}


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (Machine(WRITTEN.removesuffix("whole\n")), "broke off"),
        (Machine(WRITTEN.split("\n\n")[0]), "broke off"),
        (Machine(code=1), "no find"),
    ],
)
def test_half_a_list_is_none_and_nothing_of_it_stays(machine, words):
    with pytest.raises(LxdError) as refused:
        list_files(machine, "p", "c1-web")
    assert words in refused.value.details
    assert machine.files == {}


def test_what_is_kept_is_read_again_and_the_same_lists_are_one_image():
    machine = Machine()
    lists = {"web": FileList({"/etc/\udcff": "81a4 0 0 1 aa"}, {"nginx": "1.22"}), "desk": FileList({}, {})}
    made = keep(machine, lists, {"practicum.checkpoint": "1"})
    assert keep(machine, lists, {"practicum.checkpoint": "1"}) == made
    assert keep(machine, lists, {"practicum.checkpoint": "2"}) != made
    assert read(machine, made) == lists


def test_a_summary_counts_files_and_names_packages():
    before = FileList({"/a": "1", "/b": "1", "/tmp/x": "1"}, {"curl": "1", "nano": "1", "vim": "1"})
    after = FileList({"/a": "2", "/c": "1", "/d": "1"}, {"curl": "2", "vim": "1", "nginx": "1"})
    found = summary(before, after)
    assert found == {"added": 2, "changed": 1, "removed": 1, "packages": ["~curl", "-nano", "+nginx"]}
    assert not any(summary(after, after).values())
