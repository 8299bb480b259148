"""Per-student files: what a template may say, what it may not reach, and where its mistakes are."""

import pytest

from generator.render.references import reference
from generator.render.template import TemplateProblem, render

VALUES = {
    "student": {"id": "s001", "login": reference("login")},
    "seat": {"id": "s001", "address": "10.72.1.2", "addresses": {"web": "10.72.1.2"}},
}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plain\n", "plain\n"),
        ("no newline", "no newline"),
        ("{{ student.id }} {{ seat.addresses.web }}", "s001 10.72.1.2"),
        ("{{ student.login }}", "((practicum:login))"),
        ("{{ secret('db') }}", "((practicum:secret db))"),
        ("{% for name in seat.addresses %}{{ name }}{% endfor %}", "web"),
        ("<b>{{ '<i>' }}</b>", "<b><i></b>"),
        ("{# note #}{{ 'x' | upper }}", "X"),
    ],
)
def test_templates_are_rendered(source, text):
    assert render(source, VALUES) == text


@pytest.mark.parametrize(
    "source",
    [
        "{{ student.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ secret.__globals__ }}",
        "{{ secret.__closure__ }}",
        "{{ student.update({'id': 'x'}) }}",
        "{{ seat.addresses.clear() }}",
        "{% set _ = student.pop('id') %}",
        "{{ range(10) }}",
        "{{ cycler('a') }}",
        "{{ lipsum() }}",
        "{% include '/etc/passwd' %}",
        "{% import 'x' as y %}",
        "{% extends 'base' %}",
    ],
)
def test_templates_reach_neither_python_nor_files(source):
    with pytest.raises(TemplateProblem):
        render(source, VALUES)
    assert VALUES["student"] == {"id": "s001", "login": reference("login")}


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("one\ntwo {{ student.nmae }}\n", 2, "nmae"),
        ("one\n\n{{ nothing }}\n", 3, "nothing"),
        ("one\n{% if %}\n", 2, "Expected an expression"),
        ("{{ 1 / 0 }}", 1, "division"),
        ("\n{{ 'x' + 1 }}", 2, "str"),
        ("{{ seat.addresses['db'] }}", 1, "db"),
        ("{{ 'x' | nothing }}", 1, "nothing"),
        ("a\nb\n{{ secret() }}", 3, "name"),
    ],
)
def test_mistakes_are_told_with_their_line(source, line, words):
    with pytest.raises(TemplateProblem) as caught:
        render(source, VALUES)
    assert caught.value.line == line
    assert words in caught.value.message


def test_rendering_depends_on_nothing_but_its_values():
    source = "{{ seat.addresses }} {{ student }}"
    assert render(source, VALUES) == render(source, VALUES)
