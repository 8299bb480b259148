"""The rights that the documentation gives the account of a cluster are those that a delivery uses."""

import re
from pathlib import Path

import yaml

from generator.kubernetes_base.manifest import facts
from practicum.kubernetes.observe import KINDS

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "existing-cluster.md"
# Nobody makes these by hand, and reading them is for explanations only.
READ = {"events"}


def plural(kind):
    word = kind.lower()
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}es" if word.endswith("s") else f"{word}s"


def test_the_account_may_do_what_a_delivery_does_and_nothing_else():
    (text,) = re.findall(r"```yaml fragment\n(apiVersion: rbac.*?)```", PAGE.read_text(), re.DOTALL)
    rules = yaml.safe_load(text)["rules"]
    given = {(group, name) for rule in rules for group in rule["apiGroups"] for name in rule["resources"]}
    used = {(api_version.rpartition("/")[0], plural(kind)) for api_version, kind in KINDS}
    names = {name for _, name in used} | {"namespaces"} | READ
    assert used | {("", "namespaces"), ("", "events")} <= given
    assert {name for _, name in given} == names
    assert {group for group, _ in given} <= set(facts("kinds")["groups"])
