"""The pages docs/reference/spec.md and platform.md, made from the schemas: what editors and messages say, as text."""

from collections.abc import Mapping
from types import MappingProxyType

from generator.spec.schema_parts import Part, code, default_words, schema_parts, value_words

__all__ = ["NOT_BUILT", "PAGES", "not_built", "render_spec_reference"]

# Schema → its page in docs/reference.
PAGES: Mapping[str, str] = MappingProxyType(
    {"lab": "spec", "platform": "platform", "release": "release", "catalogue": "catalogue"}
)
_REFUSED = "`plan` and `provision` refuse it before any effect, exit code 69."
_RECORDED = "it is checked and recorded, and nothing acts on it."
_UNREAD = "it is checked, and nothing reads it."
# What the schemas promise and this version does not do, by place. Take an entry out when you build its part.
NOT_BUILT: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "lab": {
            "description": _RECORDED,
            "kubernetes.cluster": f"`seat`; {_REFUSED} `lab` and `existing:NAME` work.",
        },
        "platform": {
            "images": _UNREAD,
            "argocd.api": _UNREAD,
            "git.remote": "Argo CD is told to read there, and nothing else uses it. The remote is the checkout's own "
            "`origin`, see `practicum init --remote`.",
            "web.tls": "The certificate is named with `practicum web --certificate` and `--key`.",
            "vms": f"`kubevirt`, for labs that have virtual machines; {_REFUSED}",
        },
    }
)
_HEADS = {
    "release": (
        "The release file",
        "What `practicum checkpoint` and `practicum promote` write: `environments/ENV/COURSE/LAB/release.json`, and "
        "the message of a release tag. It is held against this schema when it is written and when it is read; nobody "
        "edits it. See [Generated files](generated-files.md#releasejson).",
    ),
    "catalogue": (
        "A machine type",
        "What a type in the catalogue is made of: `generator/catalogue/types/TYPE.yaml`. `practicum types` shows the "
        "types that a lab can use.",
    ),
    "lab": (
        "The lab spec",
        "What a professor writes: `labs/COURSE/LAB.lab.yaml`. Every key that a spec may have stands here; any other is "
        "an error with line and fix. [Your first lab](../tutorial/first-lab.md) shows how a spec grows.",
    ),
    "platform": (
        "The platform file",
        "What an operator writes: `environments/dev/platform.yaml` and `environments/prod/platform.yaml`, one for each "
        "environment. `practicum init` writes both. Without a file, or without a key, the defaults hold; those of "
        "`addresses` are 10.64.0.0/13 for dev and 10.72.0.0/13 for prod. Secrets never stand here.",
    ),
}


def render_spec_reference(schema: str = "lab") -> str:
    """Return the text of the reference page of `schemas/SCHEMA.schema.json`: one of `PAGES`."""
    title, introduction = _HEADS[schema]
    source = f"<!-- Made from schemas/{schema}.schema.json by generator/spec/reference.py; a test holds it. -->"
    parts = schema_parts(schema)
    sections = [_section(place, part, schema) for place, part in parts.items() if part.get("properties")]
    return "\n\n".join((f"# {title}", source, introduction, *sections)) + "\n"


def not_built(schema: str, place: str) -> str:
    """Return what this version does not do about a key, or nothing."""
    return NOT_BUILT.get(schema, {}).get(place, "")


def _section(place: str, part: Part, schema: str) -> str:
    heading = f"## `{place}`\n\n{part.get('description', '')}".rstrip() if place else "## The whole file"
    lines = ["| key | what it says | value | default | example |", "|---|---|---|---|---|"]
    for key in part["properties"]:
        child_place = f"{place}.{key}".removeprefix(".")
        child, note = schema_parts(schema)[child_place], not_built(schema, child_place)
        words = child["description"] + (f" **Not built yet:** {note}" if note else "")
        default = default_words(child, key, part.get("required", []))
        cells = (f"`{key}`", words, value_words(child), default, code(child["examples"][0]))
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return heading + "\n\n" + "\n".join(lines)
