"""`built(tree)` gives the objects of every shard of a tree."""

import pytest
from builds import kustomize


@pytest.fixture
def built(tmp_path):
    """Return the objects of every shard of a tree, by the shard's name."""

    def run(tree):
        for path, data in tree.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(data)
        return {folder.name: kustomize(folder) for folder in sorted((tmp_path / "shards").iterdir())}

    return run
