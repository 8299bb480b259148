"""`practicum generate`: writes, says what is stale, previews prod."""

from university import GOOD

FOLDER = "environments/dev/net101/firewalls/lxd"


def test_it_writes_what_is_missing_and_then_nothing(university):
    university.lab()
    said = university("generate")
    assert said.code == 0
    assert f"written: {FOLDER}/prof.yaml" in said.out
    assert (university.root / f"{FOLDER}/prof.yaml").is_file()
    again = university("generate")
    assert (again.code, again.out) == (0, "")
    assert "up to date" in again.err


def test_check_writes_nothing_and_ends_with_1_while_something_is_stale(university):
    university.lab()
    files = university.files()
    stale = university("generate", "--check")
    assert stale.code == 1
    assert f"stale: {FOLDER}/prof.yaml" in stale.out
    assert university.files() == files
    university("generate")
    fresh = university("generate", "--check")
    assert (fresh.code, fresh.out) == (0, "")


def test_check_tells_a_hand_edited_file(university):
    university.deployed()
    path = f"{FOLDER}/shared.yaml"
    (university.root / path).write_text("edited: true\n")
    assert university("generate", "--check").out == f"stale: {path}\n"
    assert university("generate").out == f"written: {path}\n"


def test_a_file_that_nothing_wants_is_removed(university):
    university.deployed()
    university.write(f"{FOLDER}/s001.yaml", "old: true\n")
    assert university("generate").out == f"removed: {FOLDER}/s001.yaml\n"
    assert not (university.root / f"{FOLDER}/s001.yaml").exists()


def test_what_commands_wrote_stays(university):
    university.deployed()
    written = university.write("environments/dev/net101/firewalls/operation.yaml", "power: stopped\n")
    assert university("generate", "--check").code == 0
    assert written.read_text() == "power: stopped\n"


def test_a_preview_is_prod_with_all_students_outside_of_git(university, tmp_path):
    university.deployed()
    files = university.files()
    said = university("generate", "--preview", tmp_path / "preview")
    assert said.code == 0
    folder = tmp_path / "preview/environments/prod/net101/firewalls/lxd"
    assert sorted(path.name for path in folder.iterdir()) == ["prof.yaml", "s001.yaml", "s002.yaml", "shared.yaml"]
    assert "4 files" in said.out
    assert university.files() == files


def test_one_lab_of_several_can_be_named_by_name_or_path(university):
    university.lab(name="net101/one")
    university.lab(name="net101/two")
    assert "net101/two" not in university("generate", "net101/one").out
    said = university("generate", university.root / "labs/net101/two.lab.yaml")
    assert "environments/dev/net101/two/lxd/prof.yaml" in said.out


def test_an_unknown_lab_is_a_usage_error_that_names_the_known_ones(university):
    university.lab()
    said = university("generate", "net101/nothing")
    assert said.code == 2
    assert "net101/firewalls" in said.err


def test_a_repository_without_labs_has_nothing_to_do(university):
    assert university("generate").code == 0
    assert university("validate").code == 0


def test_keys_that_are_not_built_are_generated_all_the_same(university):
    university.lab(GOOD + "kubernetes: {cluster: seat}\n")
    assert university("generate").code == 0
    assert "key: kubernetes.cluster" in (university.root / f"{FOLDER}/shared.yaml").read_text()
