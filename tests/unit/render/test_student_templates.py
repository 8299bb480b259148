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


@pytest.mark.parametrize(
    "source",
    [
        "{{ secret('db') | upper }}",
        "{{ secret('db') }} {{ secret('db') | upper }}",
        "{% set password = secret('db') %}{{ password }} {{ password | title }}",
        "{{ secret('db') | replace('db', 'other') }}",
        "{{ secret('db') | length }}",
        "{{ secret('db')[2:] }}",
        "{{ secret('db') | list }}",
        "{{ student.login | capitalize }}",
        "{{ student.login | lower }}",
        "{{ student.login | truncate(12, true) }}",
        "{{ student.login | urlencode }}",
        "{% if 'login' in student.login %}x{% endif %}",
    ],
)
def test_nothing_is_made_from_a_reference(source):
    with pytest.raises(TemplateProblem, match="altered") as caught:
        render(f"one\n{source}\n", VALUES)
    assert caught.value.line == 2


@pytest.mark.parametrize(
    "source",
    [
        "{{ student.login | e }}",
        "{{ student.login | trim | default('x') }}",
        "{{ 'a' ~ student.login ~ 'b' }}",
        "{{ 'user %s' % student.login }}",
        "{% if student.login %}{{ student.login }}{% endif %}",
        "{% macro who(name) %}<{{ name }}>{% endmacro %}{{ who(student.login) }}",
    ],
)
def test_references_stand_whole_in_other_text(source):
    assert reference("login") in render(source, VALUES)


@pytest.mark.parametrize("name", ["'a b'", "''", "'ä'", "'a))'", "'a\\n'", "7", "none", "['a']"])
def test_names_that_no_secret_has(name):
    with pytest.raises(TemplateProblem, match="secret's name"):
        render(f"{{{{ secret({name}) }}}}", VALUES)


def test_a_secret_without_name_and_chance_have_no_text():
    for source in ("{{ secret }}", "{{ [1, 2] | random }}"):
        with pytest.raises(TemplateProblem):
            render(source, VALUES)


@pytest.mark.parametrize(
    "source",
    [
        "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{% for a in 'x' %}" * 40 + "{% endfor %}" * 40,
        "{{ 'x' * 10 ** 10 }}",
        "{{ 10 ** 10 * 'x' }}",
        "{{ 2 ** 100000 }}",
        "{{ [0] * 10 ** 7 }}",
        "{{ 'x' | center(10 ** 10) }}",
        "{{ 'x'.ljust(10 ** 10) }}",
        "{{ '%10000000000d' % 1 }}",
        "{{ '%10000000000d' | format(1) }}",
        "{{ '{:10000000000}'.format(1) }}",
        "{% set a = 'x' * 2 ** 20 %}{{ a }}{{ a }}",
        "{% set a = 'x' * 2 ** 20 %}{% set b = a ~ a %}",
        "{% set a = 'x' * 2 ** 20 %}{% set b = a + a %}",
        "{% set a %}{% for n in 'x' * 2000 %}{{ 'y' * 1000 }}{% endfor %}{% endset %}",
        "{{ 1.0e308 * 10 | int }}{{ (1.0e308 * 10) | int }}",
        "{{ 5 | xmlattr }}",
        "{{ '\\ud800' }}",
    ],
)
def test_no_template_takes_all_or_ends_in_an_exception(source):
    with pytest.raises(TemplateProblem) as caught:
        render(source, VALUES)
    assert caught.value.message


def test_the_largest_result_is_a_mebibyte():
    assert len(render("{{ 'x' * 2 ** 20 }}", VALUES)) == 2**20
    with pytest.raises(TemplateProblem, match="larger than 1MiB"):
        render("{{ 'x' * 2 ** 20 }}.", VALUES)
