"""An image kept as the file of a volume is the same bytes again, and another one is refused."""

import hashlib
import io
import tarfile
from types import SimpleNamespace

import pytest

from practicum.lxd.errors import LxdError
from practicum.lxd.image_volumes import keep_image, return_image
from practicum.lxd.volumes import Place

IMAGE = bytes(range(256)) * 5000 + b"end"
FINGERPRINT = hashlib.sha256(IMAGE).hexdigest()
PLACE = Place("backups", "second", "image-1")


class Body(SimpleNamespace):
    """An answer of LXD that is read as a stream."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.close()


class Images:
    """LXD with one image; what is uploaded as a volume is exported again as a backup of it."""

    def __init__(self):
        self.volume, self.images, self.path = b"", {FINGERPRINT: IMAGE}, ()

    def get(self, *path, project="", recursion=0):
        return [] if path[-1] == "backups" else {"size": len(IMAGE)}

    def download(self, *path, project, stream):
        data = self.images[path[1]] if path[0] == "images" else self.volume
        return Body(raw=io.BytesIO(data), headers={"Content-Length": str(len(data))})

    def upload(self, *path, data, headers, project):
        content = b"".join(data)
        if path[0] != "images":
            self.path, self.volume = (*path, headers["X-LXD-name"]), content
            return {}
        made = hashlib.sha256(content).hexdigest()
        self.images[made] = content
        return {"fingerprint": made}

    def post(self, *path, body, project):
        assert path[-1] == "backups"

    def delete(self, *path, project="default"):
        self.images.pop(path[1], None)


def test_an_image_comes_back_from_a_volume():
    lxd = Images()
    keep_image(lxd, FINGERPRINT, PLACE)
    assert lxd.path == PLACE.path
    with tarfile.open(fileobj=io.BytesIO(lxd.volume)) as archive:
        names = archive.getnames()
        assert b"name: image-1" in archive.extractfile(names[0]).read()
    assert names == ["backup/index.yaml", "backup/volume", "backup/volume/image"]
    lxd.images.clear()
    return_image(lxd, FINGERPRINT, PLACE)
    assert lxd.images == {FINGERPRINT: IMAGE}


def test_another_image_is_refused_and_goes():
    lxd = Images()
    keep_image(lxd, FINGERPRINT, PLACE)
    lxd.volume = lxd.volume.replace(b"end", b"END")
    lxd.images.clear()
    with pytest.raises(LxdError, match="is not what it was"):
        return_image(lxd, FINGERPRINT, PLACE)
    assert lxd.images == {}
