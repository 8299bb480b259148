"""The texts of the web page: each is used, and they speak the language of people who teach."""

import re
from pathlib import Path

from practicum.web.messages import every_message

ROOM = Path(__file__).parents[3] / "practicum" / "web"
# Words of code and of operators, which people at the web page do not read.
CODE_WORDS = re.compile(
    r"\b(seats?|shards?|overlays?|definitions?|promot\w+|deliver\w*|provision\w*|overlay|prod|pilot)\b", re.IGNORECASE
)


def used():
    """Return what the code and the templates say, `steps.*` for keys that are put together."""
    text = "\n".join(path.read_text() for pattern in ("*.py", "templates/*.html") for path in ROOM.glob(pattern))
    plain = set(re.findall(r"""say\(["']([a-z_.]+)["'],?[^~]""", text)) | set(
        re.findall(r'"(checks\.(?:ok|bad))"', text)
    )
    return plain, set(re.findall(r"""say\(["']([a-z_.]+)["'] ~""", text))


def test_every_text_is_used_and_every_text_that_is_used_is_there():
    plain, beginnings = used()
    known = set(every_message())
    assert {key for key in plain if key not in known and key not in beginnings} == set()
    assert {key for key in known - plain if not key.startswith(tuple(beginnings))} == set()


def test_texts_use_the_words_of_people():
    shown = {key: re.sub(r"\{\w+\}", "", text) for key, text in every_message().items()}
    assert {key: text for key, text in shown.items() if CODE_WORDS.search(text)} == {}


def test_nothing_is_written_in_a_template():
    for path in (ROOM / "templates").glob("*.html"):
        text = re.sub(r"{[{%#].*?[}%#]}", "", path.read_text(), flags=re.DOTALL)
        words = re.findall(r">\s*([^<>{}\s][^<>{}]*)<", text)
        assert [one for one in words if re.search("[a-z]{3}", one)] == [], path.name
