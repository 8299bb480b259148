"""Per-student files: what a template may say, what it may not reach, and where its mistakes are."""

import pytest

from generator.render.allowance import spend
from generator.render.references import reference
from generator.render.sandbox import Sandbox
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
        "{% from 'x' import y %}",
        "{{ ''['__class__'] }}",
        "{{ '' | attr('__class__') }}",
        "{{ ['a'] | map('attr', '__class__') | list }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ student.id.format_map({}) }}",
        "{{ '%s' % secret.__call__ }}",
        "{{ secret.spell }}",
        "{{ self.__class__ }}",
        "{% for i in [1] %}{{ loop.__class__ }}{% endfor %}",
        "{% macro m() %}{% endmacro %}{{ m.name }}",
        "{% set x = namespace(a=1) %}",
        "{{ joiner() }}",
        "{{ student | xmlattr }}",
        "{{ environment.spend(-100) }}",
        "{{ ().__class__.__base__.__subclasses__() }}",
        "{% do 1 %}",
        "{% debug %}",
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
        ("a\nb\n{{ secret() }}", 3, "a secret's name has letters"),
        ("\n{{ [nothing] }}", 2, "'nothing' is undefined"),
        ("\n{{ {'a': nothing} ~ '' }}", 2, "'nothing' is undefined"),
        ("\n{{ '%s' % [[nothing]] }}", 2, "'nothing' is undefined"),
        ("{{ [{'a': 1}] | map(attribute='b') | list }}", 1, "has no attribute 'b'"),
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
    ],
)
def test_nothing_is_made_from_a_reference(source):
    with pytest.raises(TemplateProblem, match="altered") as caught:
        render(f"one\n{source}\n", VALUES)
    assert caught.value.line == 2


@pytest.mark.parametrize(
    "source",
    [
        "{% if student.login == 'ada' %}x{% endif %}",
        "{% if 'ada' != student.login %}x{% endif %}",
        "{% if 'login' in student.login %}x{% endif %}",
        "{% if student.login in ['ada', 'bo'] %}x{% endif %}",
        "{% if 'ada' in [student.login] %}x{% endif %}",
        "{% if student.login is eq('ada') %}x{% endif %}",
        "{{ ['ada', student.login] | select('equalto', 'ada') | list }}",
        "{{ secret('a') == secret('b') }}",
    ],
)
def test_a_value_that_is_put_in_later_equals_nothing_so_it_is_not_compared(source):
    with pytest.raises(TemplateProblem, match="cannot be compared") as caught:
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


@pytest.mark.parametrize(
    "source",
    [
        "((practicum:host-addresses))",
        "{{ '((practicum:' ~ 'host-addresses))' }}",
        "{{ secret.spell('((practicum:host-addresses))') }}",
        "{{ '[Zz-2828-zZ]' }}{{ '[Zz-2828707261637469' ~ '63756d3a6c6f67696e2929-zZ]' }}",
    ],
)
def test_nobody_writes_a_reference_by_hand(source):
    with pytest.raises(TemplateProblem):
        render(source, VALUES)


BIG = "{% set a = 'x' * 2**20 %}"
LONG = "{% set l = [0] * 1000000 %}"


@pytest.mark.parametrize(
    "source",
    [
        "{% for x in 'a' * 1000000 %}{% for y in 'a' * 1000000 %}{% endfor %}{% endfor %}",
        "{% for x in 'a' * 1000 %}{% for y in 'a' * 1000000 if y == 'b' %}{% endfor %}{% endfor %}",
        "{% set a = 'x' * 1000 %}" + "{% for i in a %}" * 4 + "{% endfor %}" * 4,
        "{% set a = 'x' * 10000 %}{% for i in a %}{% for j in a if false %}{% endfor %}{% endfor %}",
        "{% macro a(n) %}{% if n %}{{ a(n - 1) }}{{ a(n - 1) }}{% endif %}{% endmacro %}{{ a(60) }}",
        BIG + "{{ a | replace('', a) }}",
        BIG + "{{ a.replace('x', a) }}",
        BIG + "{{ a.join(a) }}",
        BIG + "{% for i in a %}{% if a[::-1] %}{% endif %}{% endfor %}",
        BIG + "{% for i in a %}{% if a == a ~ '' %}{% endif %}{% endfor %}",
        "{{ ('%s' * 100000) % 'x' }}",
        "{{ ('%9999d' * 100000) % 1 }}",
        "{{ ('a\n' * 500000) | indent(100000) }}",
        "{% set a = ['lol'] %}" + "{% set a = [a, a, a] %}" * 60 + "{{ a }}",
        "{% set a = ('lol',) %}" + "{% set a = (a, a) %}" * 60 + "{{ {a: 1} }}",
        "{% set a = {} %}" + "{% set a = {'a': a, 'b': a} %}" * 60 + "{{ a | tojson }}",
        LONG + "{{ l | tojson(indent=100000) }}",
        LONG + "{{ ([[0] * 1000] * 1000) | sum(start=[]) }}",
        LONG + "{% for i in 'x' * 100000 %}{% if l[1:] == l[:-1] %}{% endif %}{% endfor %}",
        "{% set x %}{% for i in 'x' * 10000 %}{{ ('y' * 1000000) | upper }}{% endfor %}{% endset %}",
        "{{ [" + "1, " * 400000 + "] }}",
        "{{ 1e999 }}",
        "{{ 1 | round(1000000, 'ceil') }}",
        "{{ 2 ** -100000000 }}",
        "x" * (2**20 + 1),
    ],
    ids=lambda source: source[:60],
)
def test_work_has_a_bound(source):
    with pytest.raises(TemplateProblem, match=r"too|1MiB"):
        render(source, VALUES)


@pytest.mark.parametrize("source", ["{{ 'a'.upper }}", "{{ ['a'.upper] }}", "{{ 'x' ~ student.items }}"])
def test_what_must_be_called_has_no_text(source):
    with pytest.raises(TemplateProblem, match="must be called"):
        render(source, VALUES)


def test_a_loop_around_nothing_is_work_too(monkeypatch):
    counts = [0]

    def counted(steps):
        counts[0] += 1
        assert counts[0] <= 1_000_001, "steps are counted and cost nothing"
        spend(steps)

    monkeypatch.setattr(Sandbox, "spend", staticmethod(counted))
    with pytest.raises(TemplateProblem, match="does too much"):
        render("{% for i in 'x' * 1000 %}" * 3 + "{% endfor %}" * 3, VALUES)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ 'abc' | map('upper') | join('-') }}", "A-B-C"),
        ("{{ 'abc' | map('upper') }}", "['A', 'B', 'C']"),
        ("{{ [{'n': 1}, {'n': 2}] | groupby('n') | map(attribute='grouper') | join(',') }}", "1,2"),
        ("{{ 5000000 | string }} {{ 7000000 | default(5000000) }}", "5000000 7000000"),
        ("{% macro m(x) %}{{ x }}{% endmacro %}{{ m(5000000) }}", "5000000"),
        ("{% for k, v in seat.addresses.items() if k != 'x' %}{{ loop.index }}{{ k }}{% endfor %}", "1web"),
        ("{{ '%s is %03d' % (student.id, 7) }} {{ 'a-%s' | format('b') }}", "s001 is 007 a-b"),
        ("{{ {'b': [1], 'a': none} | tojson }}", '{"a": null, "b": [1]}'),
        ("{{ seat.address.split('.') | last }} {{ nothing | default('d') }}", "2 d"),
        ("{% for n in 'x' * 20000 %}{{ student.id }}: line {{ loop.index }}\n{% endfor %}"
         "{% set big = 1 %}", "".join(f"s001: line {n}\n" for n in range(1, 20001))),
    ],
    ids=lambda value: value[:40],
)  # fmt: skip
def test_what_professors_need_still_works(source, text):
    assert render(source, VALUES) == text


def test_the_largest_result_is_a_mebibyte():
    assert len(render("{{ 'x' * 2 ** 20 }}", VALUES)) == 2**20
    with pytest.raises(TemplateProblem, match="larger than 1MiB"):
        render("{{ 'x' * 2 ** 20 }}.", VALUES)
