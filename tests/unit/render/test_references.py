"""References stand for what is not in git, and only whole ones are replaced."""

import pytest

from generator.render.references import escaped, reference, resolve


def spell(kind, argument):
    return f"<{kind}|{argument}>"


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        (reference("login"), "<login|>"),
        (reference("secret", "db.pass-1_x"), "<secret|db.pass-1_x>"),
        (f"a {reference('login')} b {reference('secret', 'x')}", "a <login|> b <secret|x>"),
        ("((practicum:login", "((practicum:login"),
        ("((practicum:Login))", "((practicum:Login))"),
        ("((practicum:secret a b))", "((practicum:secret a b))"),
        ("((other:login))", "((other:login))"),
        ("$((1 + 2))", "$((1 + 2))"),
    ],
)
def test_only_whole_references_are_resolved(text, resolved):
    assert resolve(text, spell) == resolved


def test_a_value_is_not_resolved_again():
    assert resolve(reference("login"), lambda kind, argument: reference("secret", "x")) == reference("secret", "x")


@pytest.mark.parametrize(
    "text",
    [
        "((practicum:secret flag))",
        "((practicum:nothing-known))",
        "((((practicum:login)) ((practicum:",
        "((practicum:literal))((practicum:literal))login))",
        escaped("((practicum:secret flag))"),
        "((other:login)) $((1 + 2))",
    ],
)
def test_what_an_author_wrote_comes_back_as_it_was(text):
    assert resolve(escaped(text), spell) == text
    assert resolve(reference("login") + escaped(text), spell) == "<login|>" + text
