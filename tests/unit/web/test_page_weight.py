"""What a browser loads for a class of 300: less than 500 KB, without what terminals and desktops need."""

from practicum.stages.class_list import Person
from practicum.stages.status import MachineStatus
from practicum.web.assets import FOLDER, VENDOR
from practicum.web.classroom import ClassView, StudentRow
from practicum.web.pages import fragment

MOST = 500_000
NAME = "Maximiliane Wilhelmine von und zu Beispiel"


def row(number):
    seat = f"s{number:03}"
    machines = [
        MachineStatus(seat, name, f"{seat}-{name}", "10.72.103.102", "running", name == "desk")
        for name in ("web", "desk")
    ]
    return StudentRow(
        seat, Person(seat, f"student{number:03}", NAME), machines, points="12 of 20 points, 4 of 9 checks"
    )


def test_the_page_of_a_class_of_300_is_light():
    view = ClassView([row(number) for number in range(1, 301)], ["web", "desk"])
    table = fragment("class.html", **{"class": view}, lab="networks101/packet-filtering", can={"operate"})
    assert table.count("Open terminal of") == 600
    files = (VENDOR["htmx.js"], VENDOR["hx-sse.js"], FOLDER / "static" / "style.css")
    assert len(table.encode()) + sum(path.stat().st_size for path in files) < MOST
