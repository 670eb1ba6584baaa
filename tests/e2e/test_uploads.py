"""Files uploaded over HTTP: the checks of `antrian import`, and the same messages at the end."""

import csv
import resource
import threading
from io import BytesIO, StringIO

import pytest
from admin import AdminServer, Client
from queue_fixture import Stock

from admin_api.auth.body_limit import LARGEST_FILE
from admin_api.auth.roles import Role
from antrian.operations.bulk_import.already_queued import Known
from antrian.operations.bulk_import.row import UnreadableFile
from antrian.operations.bulk_import.row_check import Defaults
from antrian.operations.bulk_import.upload import MOST, NotNow, UnknownUpload, UploadOptions, Uploads, UploadState
from publisher import Publisher
from waiting import wait_until

ANI, BUDI = "081234567890", "081234567891"


@pytest.fixture
def client(admin: AdminServer) -> Client:
    return admin.client(Role.OPERATOR, "dewi")


@pytest.fixture
def stock(admin: AdminServer) -> Stock:
    return Stock(admin.settings)


def send(client, content, filename="messages.csv", **options):
    body = content.encode() if isinstance(content, str) else content
    return client.ask("POST", "/imports", data=body, params={"filename": filename, **options})


def uploaded(client, content, **options):
    answer = send(client, content, **options)
    assert answer.status_code == 201, answer.text
    return answer.json()


def queue(client, job, **options):
    answer = client.ask("POST", f"/imports/{job['import_id']}/queue", json=options or None)
    assert answer.status_code == 202, answer.text
    path = f"/imports/{job['import_id']}"
    return wait_until(lambda: done if (done := client.get(path))["state"] == "done" else None, 60, "it is done")


def test_a_file_is_checked_queued_and_safe_to_repeat(client, stock):
    text = f"nomor;pesan;prioritas\n0812-3456-7890;Halo Ani;high\n{BUDI};Halo Budi;\n"
    job = uploaded(client, text)
    assert (job["state"], job["total"], job["report"]["new"], job["report"]["dry_run"]) == ("checked", 2, 2, True)
    assert stock.in_lane() == []
    done = queue(client, job)
    assert (done["report"]["queued"], done["done"], done["problem"]) == (2, 2, "")
    assert [(one.body.phone_number, one.priority, one.body.source) for one in stock.in_lane()] == [
        ("+6281234567890", 9, "import"),
        ("+6281234567891", 5, "import"),
    ]
    again = client.ask("POST", f"/imports/{job['import_id']}/queue")
    assert (again.status_code, again.json()["code"]) == (409, "not-now")

    repeated = uploaded(client, text)
    assert (repeated["report"]["new"], repeated["report"]["already"]["queued"]) == (0, 2)
    assert queue(client, repeated)["report"]["queued"] == 0
    assert uploaded(client, text, batch="tomorrow")["report"]["new"] == 2


def test_the_page_and_the_command_line_make_the_same_keys(client, cli, tmp_path):
    file = tmp_path / "messages.csv"
    file.write_text(f"phone_number,message\n{ANI},Halo\n")
    cli.say("import", str(file))
    assert uploaded(client, file.read_text())["report"]["already"]["queued"] == 1


def test_wrong_rows_are_named_and_keep_everything_out_until_they_are_left_out(client, stock):
    job = uploaded(client, f"nomor;pesan;lane\n{ANI};Halo;\n123;Halo;\n{BUDI};;nowhere\n=1+1;Halo;\n")
    report = job["report"]
    assert (report["read"], report["invalid_rows"], report["new"]) == (4, 3, 1)
    assert {(one["line"], one["field"]) for one in report["invalid"]} == {
        (3, "phone_number"),
        (4, "message"),
        (4, "lane"),
        (5, "phone_number"),
    }
    table = client.ask("GET", f"/imports/{job['import_id']}/errors")
    assert table.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.reader(StringIO(table.content.decode("utf-8-sig"))))
    assert (rows[0], len(rows)) == (["line", "column", "reason"], 5)

    refused = client.ask("POST", f"/imports/{job['import_id']}/queue")
    assert (refused.status_code, "3 rows are wrong" in refused.json()["detail"]) == (409, True)
    assert queue(client, job, skip_invalid=True)["report"]["queued"] == 1
    assert len(stock.in_lane()) == 1


@pytest.mark.parametrize(
    ("content", "filename", "code", "words"),
    [
        (b"", "a.csv", "unreadable-file", "it is empty"),
        (b"\n\n", "a.csv", "unreadable-file", "it is empty"),
        (bytes(range(255, -1, -1)) * 20, "a.csv", "unreadable-file", ""),
        (b"\xe9\xff;\x80\n1;2\n", "a.csv", "unreadable-file", "is not UTF-8"),
        (b"PK\x03\x04rest", "a.xlsx", "unreadable-file", "CSV UTF-8"),
        ("nomor;pesan\n1;x\n".encode("utf-16"), "a.csv", "unreadable-file", "UTF-16"),
        (b"\x1f\x8brest", "a.csv", "unreadable-file", "unpack"),
        (b"nomor;pesan;note\n1;x;y\n", "a.csv", "unknown-columns", "did you mean metadata.note?"),
        (b"nomor\n1\n", "a.csv", "unreadable-file", "no column message"),
        (b"[]", "a.jsonl", "unreadable-file", "one JSON list"),
    ],
)
def test_what_is_no_file_of_messages_is_refused_with_the_reason(client, content, filename, code, words):
    answer = send(client, content, filename)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert words in answer.json()["detail"]


def test_what_looks_odd_and_can_be_read_is_read(client):
    assert uploaded(client, b"\xef\xbb\xbfnomor;pesan\r\n081234567890;Halo\r\n")["report"]["new"] == 1
    assert uploaded(client, b'\n{"phone_number": "081234567890", "message": "x"}', filename="export")["total"] == 1
    latin = uploaded(client, "nomor;pesan\n081234567890;café\n081234567890;Halo\n".encode("latin-1"))
    assert (latin["report"]["invalid_rows"], latin["report"]["new"]) == (1, 1)
    assert "UTF-8" in latin["report"]["invalid"][0]["reason"]
    left_out = uploaded(client, "No;Nama;nomor;pesan\n1;Ani;081234567890;x\n", ignore_columns="no, nama")
    assert left_out["report"]["new"] == 1


def test_only_an_upload_may_be_large_and_not_larger_than_its_limit(client):
    row = f"{ANI},{'x' * 4_000}\n"
    large = "phone_number,message\n" + row * 300
    assert uploaded(client, large)["total"] == 300
    huge = ("phone_number,message\n" + row * (LARGEST_FILE // len(row) + 1)).encode()
    assert send(client, huge).status_code == 413
    pieces = client.ask("POST", "/imports", data=iter([huge[:1_000_000]] * 21), params={"filename": "a.csv"})
    assert pieces.status_code == 413
    assert client.ask("POST", "/imports/x/queue", data=large).status_code == 413


def test_options_that_make_no_sense_are_refused(client):
    file = f"phone_number,message\n{ANI},x\n"
    assert send(client, file, lane="nowhere").status_code == 404
    assert send(client, file, priority="soon").status_code == 422
    assert send(client, file, colour="red").status_code == 422
    form = client.ask("POST", "/imports", files={"file": ("a.csv", file)})
    assert form.status_code == 415


def test_a_restart_and_a_delete_forget(client, admin):
    job = uploaded(client, f"phone_number,message\n{ANI},x\n")
    other = uploaded(client, f"phone_number,message\n{BUDI},x\n")
    assert client.ask("DELETE", f"/imports/{other['import_id']}").status_code == 200
    assert client.ask("GET", f"/imports/{other['import_id']}").status_code == 404
    admin.kill()
    admin.start()
    answer = client.ask("POST", f"/imports/{job['import_id']}/queue")
    assert (answer.status_code, "upload the file again" in answer.json()["detail"]) == (404, True)


def test_what_is_being_queued_can_be_ended(client, stock):
    rows = "".join(f"{ANI},text {number}\n" for number in range(20_000))
    job = uploaded(client, "phone_number,message\n" + rows)
    client.post(f"/imports/{job['import_id']}/queue")
    wait_until(lambda: stock.count(stock.names.lane("default")), 30, "some are in the queue")
    assert client.ask("DELETE", f"/imports/{job['import_id']}").status_code == 200
    path = f"/imports/{job['import_id']}"
    done = wait_until(lambda: it if (it := client.get(path))["state"] == "done" else None, 60, "it has ended")
    assert done["report"]["queued"] == stock.count(stock.names.lane("default"))
    assert uploaded(client, "phone_number,message\n" + rows)["report"]["already"]["queued"] == done["report"]["queued"]


def uploads_of(lane, count):
    """The uploads of a process that knows nothing of earlier ones, with some files in them."""
    ours = Uploads(lane, lambda: Known(None, trouble="nobody asks"))
    options = UploadOptions(Defaults("default", "import"))
    files = [BytesIO(f"phone_number,message\n{ANI},{number}\n".encode()) for number in range(count)]
    return ours, [ours.check(file, "a.csv", options) for file in files]


def test_many_uploads_keep_one_thread_waiting_and_not_one_each(lane):
    def timers():
        return sum(isinstance(one, threading.Timer) for one in threading.enumerate())

    before = timers()
    ours, uploads = uploads_of(lane, MOST + 5)
    assert timers() - before == 1
    assert ours.get(uploads[-1].import_id) is uploads[-1]
    with pytest.raises(UnknownUpload):
        ours.get(uploads[0].import_id)


def test_an_end_that_comes_before_the_first_message_is_heeded(lane, stock, monkeypatch):
    ours, (upload,) = uploads_of(lane, 1)
    may_begin = threading.Event()

    class LatePublisher(Publisher):
        def __init__(self, *args, **options):
            may_begin.wait(30)
            super().__init__(*args, **options)

    monkeypatch.setattr("antrian.operations.bulk_import.upload.Publisher", LatePublisher)
    ours.queue(upload.import_id, skip_invalid=False)
    ours.drop(upload.import_id)
    may_begin.set()
    upload.thread.join(30)
    assert (upload.state, stock.in_lane()) == (UploadState.DONE, [])


def test_a_file_of_endless_rows_is_not_checked_to_its_end(lane, monkeypatch):
    monkeypatch.setattr("antrian.operations.bulk_import.upload.MOST_ROWS", 3)
    ours, _ = uploads_of(lane, 0)
    options = UploadOptions(Defaults("default", "import"))
    assert ours.check(BytesIO(b"phone_number,message\n" + b"1,1\n" * 3), "a.csv", options).report.findings.wrong == 3
    with pytest.raises(UnreadableFile, match="more than 3 rows"):
        ours.check(BytesIO(b"phone_number,message\n" + b"1,1\n" * 4), "a.csv", options)


def test_few_files_are_checked_at_a_time_and_the_next_is_told_to_come_later(lane):
    ours, _ = uploads_of(lane, 0)
    options, may_read = UploadOptions(Defaults("default", "import")), threading.Event()

    class SlowFile(BytesIO):
        begun = threading.Event()

        def read1(self, size=-1):
            self.begun.set()
            may_read.wait(60)
            return super().read1(size)

    def slow():
        file = SlowFile(f"phone_number,message\n{ANI},x\n".encode())
        file.begun = threading.Event()
        thread = threading.Thread(target=ours.check, args=(file, "a.csv", options))
        thread.start()
        assert file.begun.wait(30)
        return thread

    threads = [slow(), slow()]
    with pytest.raises(NotNow, match="other files"):
        ours.check(BytesIO(b"phone_number,message\n"), "a.csv", options)
    may_read.set()
    for thread in threads:
        thread.join(30)
    assert ours.check(BytesIO(b"phone_number,message\n"), "a.csv", options).report.findings.read == 0


def test_a_full_disk_is_told_and_nothing_else_is_lost(client, admin):
    file = f"phone_number,message\n{ANI},x\n" + "x" * 900_000 + "\n"
    limits = resource.prlimit(admin.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(admin.process.pid, resource.RLIMIT_FSIZE, (100_000, limits[1]))
    answer = send(client, file)
    assert (answer.status_code, answer.json().get("code")) == (507, "no-room")
    resource.prlimit(admin.process.pid, resource.RLIMIT_FSIZE, limits)
    assert uploaded(client, f"phone_number,message\n{ANI},x\n")["total"] == 1


def test_every_action_is_on_record(client, admin):
    job = uploaded(client, f"phone_number,message\n{ANI},x\n")
    queue(client, job)
    auditor = admin.client(Role.ADMIN, "ani")
    wanted = {"POST /imports", "POST /imports/{import_id}/queue"}

    def actions():
        return {one["details"]["action"] for one in auditor.get("/audit")["items"] if one["source"] == "api:dewi"}

    wait_until(lambda: wanted <= actions(), 20, "both are on record")
