"""Files that look like specs and would silently be read as none."""

import pytest

from generator.generate import misplaced_specs
from generator.spec.sources import MappingSources


def told(*paths):
    return [(problem.code, problem.hint) for problem in misplaced_specs(MappingSources(dict.fromkeys(paths, b"")))]


@pytest.mark.parametrize("name", ["fw.lab.yml", "fw.lab.YAML", "fw.lab.yaml.txt", "fw.lab.json", "fw.Lab.yaml"])
def test_a_spec_of_another_name_is_told_with_the_right_one(name):
    assert told(f"labs/net101/{name}") == [("PRA030", "Rename it to labs/net101/fw.lab.yaml.")]


@pytest.mark.parametrize(
    "path",
    ["labs/net101/fw.lab.yaml", "labs/net101/fw.seats.yaml", "labs/net101/k8s/a.lab.yml", "labs/net101/my-lab.yaml"],
)
def test_other_files_are_not_taken_for_specs(path):
    assert told(path) == []
