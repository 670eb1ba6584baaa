"""`antrian contacts` and `antrian optout` against a real broker."""

import json

import pytest

from waiting import wait_until

BUDI = "+6281234567890"


@pytest.fixture
def rows(tmp_path):
    """Writes a file of contacts."""

    def write(text, name="people.csv"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return str(file)

    return write


def standing(cli, number):
    (one,) = cli.json("contacts", "show", number)["senders"]
    return one["standing"]


def test_people_are_imported_once_or_again_and_are_known_then(cli, rows):
    assert standing(cli, "0812 3456 7890") == "cold"
    file = rows(f"nomor hp;zona waktu\n081234567890;WIT\n+62 813-1111-2222;\n{BUDI};Asia/Jakarta\n")
    assert cli.json("contacts", "import", file, "--dry-run")["imported"] == 0
    for _ in range(2):
        report = cli.json("contacts", "import", file)
        assert (report["read"], report["right"], report["wrong"], report["imported"]) == (3, 3, 0, 3)
    wait_until(lambda: standing(cli, BUDI) == "known", 20, "the number is known")
    shown = cli.json("contacts", "show", "081311112222")
    assert (shown["senders"][0]["standing"], shown["timezone"]) == ("known", None)
    assert cli.json("contacts", "show", BUDI)["timezone"] in {"Asia/Jakarta", "Asia/Jayapura"}
    said = cli.run("contacts", "show", BUDI)
    assert "known" in said.stdout
    assert "Opted out of nothing." in said.stdout


def test_a_file_with_a_wrong_row_is_refused_unless_it_is_to_be_skipped(cli, rows):
    lines = ['{"phone_number": "081234567890"}', '{"phone_number": "12"}', '{"phone_number": 7}', '{"name": "Budi"}']
    lines += ['{"phone_number": "081311112222", "timezone": "Mars/Olympus"}']
    file = rows("\n".join(lines), "people.jsonl")
    refused = cli.run("contacts", "import", file)
    assert refused.returncode == 2
    assert "nothing was imported: 4 of 5 rows" in refused.stderr
    assert "line 5, timezone: is not a time zone" in refused.stderr
    assert cli.run("contacts", "import", file, "--json").returncode == 2
    assert standing(cli, BUDI) == "cold"
    skipped = cli.run("contacts", "import", file, "--skip-bad")
    assert (skipped.returncode, "1 contact is known now" in skipped.stdout) == (0, True), skipped.stderr
    wait_until(lambda: standing(cli, BUDI) == "known", 20, "the number is known")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("contacts", "import", "none.csv"), "there is no such file"),
        (("contacts", "import", "FILE", "--sender", "62999"), "no lane has this sender"),
        (("contacts", "show", "12"), "NUMBER: "),
        (("optout", "add", BUDI, "--purpose", "marketin"), "there is no purpose 'marketin'; the purposes are: "),
        (("optout", "add", "12"), "NUMBER: "),
        (("optout", "remove", BUDI), "nothing was changed: this number has not opted out of anything"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence_and_changes_nothing(cli, rows, words, sentence):
    file = rows("phone_number\n081234567890\n")
    said = cli.run(*[file if word == "FILE" else word for word in words])
    assert said.returncode in {1, 2}
    assert sentence in said.stderr
    assert len(said.stderr.strip().splitlines()) == 1, said.stderr


def test_an_opt_out_is_recorded_with_its_proof_listed_and_taken_back(cli):
    added = cli.json("optout", "add", "0812-3456-7890", "--words", "jangan kirim promo lagi")
    assert (added["phone_number"], added["purpose"], added["opted_out"]) == (BUDI, "marketing", True)
    cli.run("optout", "add", "081311112222", "--purpose", "all")
    listed = wait_until(lambda: (found := cli.json("optout", "list"))["total"] == 2 and found, 20, "both are listed")
    assert [(row["purpose"], row["channel"]) for row in listed["items"]] == [("all", "cli"), ("marketing", "cli")]
    proof = listed["items"][1]
    assert (proof["words"], proof["at"]) == ("jangan kirim promo lagi", pytest.approx(added["at"], abs=0.001))
    assert proof["by"].startswith("cli:")
    assert "4567" not in json.dumps(listed)
    assert cli.json("optout", "list", "--show-numbers")["items"][1]["phone_number"] == BUDI
    assert "2 of 2 opt-outs." in cli.run("optout", "list").stdout
    assert cli.run("optout", "remove", BUDI, "--purpose", "reminder").returncode == 1
    assert cli.json("optout", "remove", BUDI)["opted_out"] is False
    wait_until(lambda: cli.json("optout", "list")["total"] == 1, 20, "one is left")
