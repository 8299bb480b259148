"""Rules beyond the schema, at their bounds; the texts themselves are held by tests/errors."""

from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from generator.seats.addresses import ROOM_OF_SEVERAL, blocks_needed
from generator.spec.platform import default_platform
from generator.spec.rules.students import students_that_fit

TOP = "version: 1\ntitle: T\nstudents: 2\n"
WEB = "machines:\n  web: {type: webserver}\n"


def platform(environment, **settings):
    return {environment: replace(default_platform(environment), **settings)}


def machines(count, extra=""):
    return "machines:\n" + "".join(f"  m{number}: {{type: debian{extra}}}\n" for number in range(count))


@pytest.mark.parametrize(("students", "blocks"), [(1, 1), (60, 1), (61, 2), (124, 2), (125, 3)])
def test_the_first_four_of_64_slots_are_kept(students, blocks):
    assert blocks_needed(students) == blocks


@pytest.mark.parametrize(("block", "students"), [("10.0.0.0/20", 60), ("10.0.0.0/19", 124), ("10.64.0.0/13", 8188)])
def test_what_a_block_holds(block, students):
    assert students_that_fit(default_platform("prod").__class__("prod", IPv4Network(block))) == students


@pytest.mark.parametrize(("count", "expected"), [(60, []), (61, [("PRA044", 3)])])
def test_the_last_student_has_addresses(told, count, expected):
    small = platform("prod", addresses=IPv4Network("10.72.0.0/20"))
    assert told(TOP.replace("2", str(count)) + WEB, platforms=small) == expected


def test_dev_holds_no_students(told):
    assert told(TOP.replace("2", "60") + WEB, platforms=platform("dev", addresses=IPv4Network("10.64.0.0/20"))) == []


@pytest.mark.parametrize(("count", "expected"), [(9999, []), (10000, [("PRA045", 3)])])
def test_ids_end_at_9999(told, count, expected):
    large = platform("prod", addresses=IPv4Network("10.0.0.0/8"))
    assert told(TOP.replace("2", str(count)) + WEB, platforms=large) == expected


@pytest.mark.parametrize(("count", "expected"), [(60, []), (61, ["PRA041"])])
def test_one_network_has_room_for_60(told, count, expected):
    assert [code for code, _line in told(TOP + machines(count))] == expected


@pytest.mark.parametrize("connect", ["[lan]", "[dmz]", "[lan, dmz]"])
@pytest.mark.parametrize(("count", "expected"), [(ROOM_OF_SEVERAL, []), (ROOM_OF_SEVERAL + 1, ["PRA041"])])
def test_a_lab_with_several_networks_has_room_for_12(told, count, expected, connect):
    text = TOP + "networks: {lan: {}, dmz: {}}\n" + machines(count - 1, ", connect: [dmz]")
    text += f"  last: {{type: debian, connect: {connect}}}\n"
    assert [code for code, _line in told(text)] == expected


@pytest.mark.parametrize(
    ("router", "expected"),
    [
        ("connect: [lan, dmz], forward: true", []),
        ("connect: [dmz, lan], forward: true", []),
        ("connect: [lan, dmz]", ["PRA038"]),
        ("connect: [lan, dmz], forward: false", ["PRA038"]),
        ("connect: [lan, other], forward: true", ["PRA038"]),
        ("connect: [dmz, other], forward: true", ["PRA038"]),
    ],
)
def test_the_probe_reaches_another_network_through_a_router_to_the_first(told, router, expected):
    text = TOP + "networks: {lan: {}, dmz: {}, other: {}}\nmachines:\n  web: {type: debian, connect: [dmz]}\n"
    text += f"  router: {{type: debian, {router}}}\nchecks:\n  - {{name: a, http: {{machine: web}}}}\n"
    assert [code for code, _line in told(text)] == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("root", True), ("seed", True), ("eth0", True), ("eth9", True), ("eth", False), ("roots", False), ("home", False)],
)
def test_a_volume_has_no_name_of_another_device(told, name, expected):
    text = TOP + WEB + f"volumes: {{{name}: {{mount: /srv/x}}}}\n"
    assert [code for code, _line in told(text)] == (["PRA036"] if expected else [])


@pytest.mark.parametrize(
    ("size", "expected"), [("64MiB", []), ("65536KiB", []), ("63MiB", ["PRA042"]), ("65535KiB", ["PRA042"])]
)
def test_memory_has_a_floor(told, size, expected):
    assert [code for code, _ in told(TOP + WEB.replace("}", f", memory: {size}}}"))] == expected


@pytest.mark.parametrize(
    "path",
    [
        "labs/net101/a.lab.yml",
        "labs/a.lab.yaml",
        "labs/net101/x/a.lab.yaml",
        "labs/Net/a.lab.yaml",
        "labs/net-/a.lab.yaml",
        "labs/net101/1a.lab.yaml",
        f"labs/{'n' * 21}/a.lab.yaml",
        f"labs/net101/{'a' * 31}.lab.yaml",
    ],
)
def test_bad_places_have_no_name(load, path):
    assert [problem.code[:5] for problem in load(TOP + WEB, path=path).diagnostics] == ["PRA03"]


def test_the_longest_names_are_good(load):
    assert load(TOP + WEB, path=f"labs/{'n' * 20}/{'a' * 30}.lab.yaml").lab.key == f"{'n' * 20}/{'a' * 30}"


def test_a_hidden_type_is_unknown_and_not_suggested(load):
    (problem,) = load(TOP + "machines:\n  web: {type: probe}\n").diagnostics
    assert (problem.code, problem.message) == ("PRA012", "unknown type 'probe'")


def test_all_machines_are_looked_at(told):
    text = TOP + "machines:\n  a: {type: x}\n  b: {type: debian, memory: 1MiB}\n  c: {type: debian, disk: 1GB}\n"
    assert told(text) == [("PRA012", 5), ("PRA042", 6), ("PRA025", 7)]


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("machnes:\n  web: {type: webserver}\nchecks:\n  - {name: a, http: {machine: web}}\n", "PRA020"),
        ("machines: [web]\nchecks:\n  - {name: a, http: {machine: web}}\n", "PRA022"),
        ("networsk: {lan: {}, dmz: {}}\nmachines:\n  web: {type: webserver, connect: [dmz]}\n", "PRA020"),
        (WEB + "checks:\n  - {name: a, htpp: {machine: web}}\n", "PRA020"),
        (WEB + "checks:\n  - {name: a, http: {machine: [web]}}\n", "PRA022"),
        (WEB + "kubernets: {}\nchecks:\n  - {name: a, kubernetes: {deployment: app}}\n", "PRA020"),
        (
            "networks: {lan: {}, dmz: {}}\nmachines:\n  web: {type: debian, connect: [dmx]}\n"
            "checks:\n  - {name: a, http: {machine: web}}\n",
            "PRA034",
        ),
        (WEB + "volumes:\n  home: {mount: 5}\n  data: {}\n", "PRA022"),
        (WEB + "network: {internet: [{hots: deb.debian.org}]}\n", "PRA020"),
        ("machines:\n  web: {<<: {type: debian}}\n", "PRA004"),
        ("machines:\n  web: {type: !x debian}\n", "PRA013"),
        ("machines:\n  Web: {type: debian}\nchecks:\n  - {name: a, http: {machine: Web}}\n", "PRA032"),
    ],
)
def test_one_mistake_is_told_once_by_schema_and_rules_together(told, spec, code):
    assert [found for found, _line in told(TOP + spec)] == [code]


@pytest.mark.parametrize(
    "mount", ["/", "//", "/etc", "/usr/local", "/srv/../boot", "/home/", "/var/lib", "/run/x", "/lib64"]
)
def test_dangerous_mounts(told, mount):
    assert [code for code, _ in told(TOP + WEB + f"volumes: {{x: {{mount: {mount}}}}}\n")] == ["PRA071"]


@pytest.mark.parametrize(
    "mount", ["/home/student", "/srv/data", "/var/www", "/var/lib/postgresql", "/etcetera", "/opt/tool"]
)
def test_good_mounts(told, mount):
    assert told(TOP + WEB + f"volumes: {{x: {{mount: {mount}}}}}\n") == []


def test_volumes_at_one_place_on_different_machines_are_good(told):
    text = TOP + "machines:\n  a: {type: debian}\n  b: {type: debian}\n"
    assert told(text + "volumes: {x: {machines: [a]}, y: {machines: [b]}}\n") == []


@pytest.mark.parametrize(
    "block",
    [
        "10.64.0.0/16",
        "10.0.0.0/8",
        "10.79.255.255/32",
        "169.254.169.254/32",
        "127.0.0.1/32",
        '"::1/128"',
        '"::/0"',
        "224.0.0.1/32",
    ],
)
def test_ranges_that_break_isolation(told, block):
    assert [code for code, _ in told(TOP + WEB + f"network: {{internet: [{{cidr: {block}}}]}}\n")] == ["PRA080"]


@pytest.mark.parametrize("block", ["192.0.2.0/24", "10.0.0.0/16", "172.16.0.0/12", '"2001:db8::/32"'])
def test_ranges_that_do_not(told, block):
    assert told(TOP + WEB + f"network: {{internet: [{{cidr: {block}}}]}}\n") == []


def test_storage_is_needed_in_every_environment(load):
    both = platform("dev", storage={"local": "p", "nfs": "/n"}) | platform("prod", storage={"local": "p"})
    (problem,) = load(TOP + WEB + "volumes: {home: {storage: nfs}}\n", platforms=both).diagnostics
    assert problem.message == "there is no storage 'nfs' in prod; there is local"


@pytest.mark.parametrize(
    ("schedule", "codes"),
    [
        ("ready_by: 2026-09-14T08:00:00+02:00, due: 2026-09-14T06:00:00Z", []),
        ("ready_by: 2026-09-14T08:00:00+02:00, due: 2026-09-14T05:59:59Z", ["PRA085"]),
        ("ready_by: 2026-09-14T08:00:00+02:00, ends: 2026-01-01T00:00:00Z", ["PRA085"]),
        ("due: 2026-02-29T08:00:00Z", ["PRA086"]),
        ("due: 2026-02-28T25:00:00Z", ["PRA086"]),
        ("due: 2026-02-28T08:00:00", ["PRA025"]),
    ],
)
def test_times_follow_each_other(told, schedule, codes):
    assert [code for code, _ in told(TOP + WEB + f"schedule: {{{schedule}}}\n")] == codes


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "a/..", '"a\\0b"'])
def test_names_that_leave_the_folder(told, name):
    assert [code for code, _ in told(TOP + WEB.replace("}", f", run: [{name}]}}"))] == ["PRA051"]


@pytest.mark.parametrize("name", ["data:/etc/passwd", "data:../x", "data:", "data:a/../../b"])
def test_data_names_that_leave_the_folder(told, name):
    entry = f', files: [{{from: "{name}", to: /a, sha256: "{"0" * 64}"}}]}}'
    assert [code for code, _ in told(TOP + WEB.replace("}", entry))] == ["PRA051"]


def test_a_checksum_of_a_file_in_git_is_held(told):
    good = "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7"
    text = TOP + WEB.replace("}", f', files: [{{from: a, to: /a, sha256: "{good}"}}]}}')
    assert told(text, {"a": "a\n"}) == []
    assert [code for code, _ in told(text, {"a": "b\n"})] == ["PRA054"]


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "example.1"])
def test_host_names_that_resolvers_read_as_addresses(told, host):
    assert [code for code, _ in told(TOP + WEB + f"network: {{internet: [{{host: '{host}'}}]}}\n")] == ["PRA081"]


def test_a_file_full_of_mistakes_is_told_in_part_and_goes_no_further(load):
    text = TOP + WEB + "".join(f"key{number}: 1\n" for number in range(50_000))
    assert len(load(text).diagnostics) == 200
