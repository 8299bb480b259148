"""A commented spec to begin with."""

from importlib.resources import files


def new_spec(title: str, machine_type: str, students: str) -> str:
    """Return the text of a new lab's spec; `students` is a number or the name of a roster beside it."""
    template = files("generator").joinpath("new.lab.yaml").read_text(encoding="utf-8")
    for mark, value in (("TITLE", title), ("TYPE", machine_type), ("STUDENTS", students)):
        template = template.replace(f"<{mark}>", value)
    return template
