"""The name of an image's content: a digest over everything that decides what is in it."""

import json
from hashlib import sha256

from generator.catalogue.model import Image

# Raised when the way images are built changes (the builder's own steps, the LXD templates): every image is made again.
RECIPE_VERSION = 1


def recipe_digest(image: Image) -> str:
    """Return `sha256:…` over the suite, packages, files, scripts, artefacts and the version of the builder.

    The order of packages and files does not matter; the order of scripts does.
    """
    recipe = {
        "version": RECIPE_VERSION,
        "suite": image.suite,
        "packages": sorted(image.packages),
        "files": dict(image.files),
        "scripts": image.scripts,
        **({"kind": "vm"} if image.vm else {}),
        **({"artefacts": {path: one.sha256 for path, one in image.artefacts.items()}} if image.artefacts else {}),
    }
    text = json.dumps(recipe, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return "sha256:" + sha256(text.encode()).hexdigest()
