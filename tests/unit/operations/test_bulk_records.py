import csv
import io
import json
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.operations.bulk_import.csv_records import csv_records
from antrian.operations.bulk_import.json_records import json_records
from antrian.operations.bulk_import.row import FIELDS, Row, UnreadableFile
from antrian.operations.bulk_import.source_file import FileFormat, format_of, opened
from antrian.operations.bulk_import.text_lines import LONGEST_LINE, text_lines

PHONE = "081234567890"


def rows_of(text: str | bytes, reader: Callable = csv_records) -> list[Row]:
    file = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    with closing(text_lines(file)) as lines:
        return list(reader(lines))


def json_rows(text: str | bytes) -> list[Row]:
    return rows_of(text, json_records)


def trouble(text: str | bytes, reader: Callable = csv_records) -> str:
    with pytest.raises(UnreadableFile) as refused:
        rows_of(text, reader)
    return str(refused.value)


# CSV


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_header_tells_the_separator(separator, newline, mark):
    text = newline.join([mark + separator.join(["phone_number", "message"]), separator.join([PHONE, '"a,b;c\td"'])])
    assert rows_of(text) == [Row(2, {"phone_number": PHONE, "message": "a,b;c\td"})]


def test_excels_own_line_tells_the_separator_and_is_no_header():
    assert rows_of(f"sep=;\r\nphone_number;message\r\n{PHONE};x\r\n") == [
        Row(3, {"phone_number": PHONE, "message": "x"})
    ]


def test_a_text_of_several_lines_is_one_row_and_the_next_row_has_its_own_line():
    rows = rows_of(f'phone_number,message\n{PHONE},"one ""two""\n\nthree"\n{PHONE},x\n')
    assert [(row.line, row.fields["message"]) for row in rows] == [(2, 'one "two"\n\nthree'), (5, "x")]


def test_names_of_columns_may_be_written_in_any_case():
    assert rows_of(f" Phone_Number ,MESSAGE\n{PHONE},x\n")[0].fields == {"phone_number": PHONE, "message": "x"}


@pytest.mark.parametrize(
    "header",
    ["nomor;pesan", "Nomor HP;Isi Pesan", "no_wa\tteks", "No. Telepon,Pesan", "whatsapp;isi", "Phone Number;Message"],
)
def test_the_names_that_offices_use_are_understood(header):
    separator = next(one for one in ";\t," if one in header)
    assert rows_of(f"{header}\n{PHONE}{separator}x\n") == [Row(2, {"phone_number": PHONE, "message": "x"})]


def test_a_header_in_another_encoding_is_refused_in_words_that_can_be_told():
    assert trouble("nomor;pesan;catatan é\n".encode("latin-1")) == (
        'its first line is not UTF-8 (Excel has "CSV UTF-8" for that)'
    )


def test_columns_that_are_to_be_left_out_say_nothing():
    text = "No;Nama;nomor;pesan\n1;Ani;081234567890;x\n"
    [row] = rows_of(text, lambda lines: csv_records(lines, ("no", "NAMA")))
    assert row.fields == {"phone_number": PHONE, "message": "x"}
    [row] = json_rows_without('{"phone_number": "1", "message": "x", "nama": "Ani"}', "nama")
    assert (row.fields, row.problems) == ({"phone_number": "1", "message": "x"}, {})


def json_rows_without(text: str, *ignored: str) -> list[Row]:
    return rows_of(text, lambda lines: json_records(lines, ignored))


def test_only_the_text_keeps_its_outer_blanks():
    [row] = rows_of(f"phone_number,message,priority\n {PHONE} ,  x ,  high\n")
    assert row.fields == {"phone_number": PHONE, "message": "  x ", "priority": "high"}


def test_an_empty_cell_says_nothing_and_an_empty_row_is_none():
    rows = rows_of(f"phone_number,message,priority\n\n,,\n{PHONE},x, \n , ,\n")
    assert rows == [Row(4, {"phone_number": PHONE, "message": "x"})]


def test_notes_come_from_an_object_from_columns_or_from_both():
    [row] = rows_of(
        f'phone_number,message,metadata,metadata.Branch\n{PHONE},x,"{{""invoice"": 17, ""Branch"": 1}}",Bandung\n'
    )
    assert row.fields["metadata"] == {"invoice": 17, "Branch": "Bandung"}
    [row] = rows_of(f"phone_number,message,metadata.a,METADATA.b\n{PHONE},x,,2\n")
    assert row.fields["metadata"] == {"b": "2"}


def test_notes_that_are_no_json_are_a_problem_of_their_row():
    [row] = rows_of(f"phone_number,message,metadata,metadata.a\n{PHONE},x,oops,1\n")
    assert list(row.problems) == ["metadata"]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (PHONE, "has only 1 of 2 cells"),
        (f"{PHONE},Halo, Ani", "has 3 cells, and the header names 2: a text with a separator needs quotes"),
    ],
)
def test_a_row_needs_as_many_cells_as_the_header(cells, reason):
    assert rows_of(f"phone_number,message\n{cells}\n") == [Row(2, problems={"": reason})]


def test_empty_cells_beyond_the_header_do_no_harm():
    assert rows_of(f"phone_number,message\n{PHONE},x,,\n")[0].problems == {}
    assert rows_of(f"phone_number,message,,\n{PHONE},x,,\n")[0].problems == {}
    assert "without a name" in rows_of(f"phone_number,message,\n{PHONE},x,y\n")[0].problems[""]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "it is empty"),
        ("\n\n", "it is empty"),
        ("nama;pesan\n", "no 'nama'"),
        ("fone_number,mesage\n", "'fone_number' (did you mean phone_number?), 'mesage' (did you mean message?)"),
        (
            "nomor hp,pesan,note,prioritaz\n",
            "'note' (did you mean metadata.note?), 'prioritaz' (did you mean priority?)",
        ),
        ("nomor;phone_number;pesan\n", "names phone_number twice"),
        ("no;pesan\n", "no 'no'"),
        (f"{PHONE},Halo\n", "its first line must name the columns"),
        ("phone_number,message,metadata.\n", "'metadata.'"),
        ("phone_number,message,a,b,c,d,e,f\n", "and 1 more"),
        ("phone_number,priority\n", "no column message"),
        ("priority,lane\n", "no column phone_number and no column message"),
        ("phone_number,message,Message\n", "names message twice"),
    ],
)
def test_a_header_that_does_not_fit_is_explained(text, named):
    assert named in trouble(text)


def test_a_first_line_that_is_no_header_by_any_means_is_explained():
    assert trouble("x" * 200_000 + "\n").startswith("line 1: ")


def test_all_columns_are_named_where_one_is_unknown():
    assert all(name in trouble("phone_number,message,oops\n") for name in (*FIELDS, "metadata.NAME"))


def test_a_header_of_very_many_columns_takes_no_more_time_than_its_length():
    def seconds(columns: int) -> float:
        # No line is long, or it would be refused for that.
        header = ",".join(["phone_number", "message", *(f'"metadata.a{number}\n"' for number in range(columns))])
        began = time.process_time()
        assert rows_of(f"{header}\n") == []
        return time.process_time() - began

    seconds(10)
    assert seconds(16_000) < 12 * seconds(4_000)


@pytest.mark.parametrize(
    "row",
    [f'{PHONE},"no end\n{PHONE},x\n', f'{PHONE},"a "quote" inside"\n', f"{PHONE},{'x' * 200_000}\n"],
)
def test_quotes_that_make_no_sense_make_the_rest_of_the_file_unreadable(row):
    assert "line 3: " in trouble(f"phone_number,message\n{PHONE},x\n{row}")


def test_bytes_that_are_not_utf_8_are_a_problem_of_their_row():
    rows = rows_of(b"phone_number,message\n081234567890,caf\xe9\n081234567890,x\n")
    assert ["is not UTF-8" in row.problems.get("", "") for row in rows] == [True, False]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip)


@given(st.lists(st.tuples(texts, texts), max_size=5), st.sampled_from(",;\t"), st.booleans())
def test_whatever_pythons_own_writer_writes_is_read(messages, separator, all_quoted):
    file = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(file, delimiter=separator, quoting=quoting)
    writer.writerows([("message", "phone_number", "lane"), *((text, PHONE, lane) for text, lane in messages)])
    rows = rows_of(file.getvalue())
    assert [row.problems for row in rows] == [{}] * len(messages)
    assert [(row.fields["message"], row.fields["lane"]) for row in rows] == [(t, lane.strip()) for t, lane in messages]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content):
    for reader in (csv_records, json_records):
        try:
            rows_of(b"phone_number,message\n" + content, reader)
            rows_of(content, reader)
        except UnreadableFile:
            pass


# JSONL


def test_each_line_is_an_object():
    text = '{"phone_number": "1", "message": "a\\nb"}\r\n\n{"phone_number": "2", "metadata": {"a": null}}'
    assert json_rows(text) == [
        Row(1, {"phone_number": "1", "message": "a\nb"}),
        Row(3, {"phone_number": "2", "metadata": {"a": None}}),
    ]


def test_there_may_be_no_rows_at_all():
    assert json_rows("") == json_rows("\n\n") == rows_of("phone_number,message\n") == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{oops", "is not JSON: expecting property name enclosed in double quotes at character 2"),
        ('{"message": "cut', "is not JSON: unterminated string"),
        ("7", "is JSON, but not an object"),
        ('"x"', "is JSON, but not an object"),
        ('{"a": ' * 100_000, "is not strictly valid JSON"),
        ('{"a": ' + "1" * 5_000 + "}", "is not strictly valid JSON"),
    ],
    ids=lambda value: value[:20],
)
def test_a_line_that_is_no_object_is_a_problem_of_its_own(line, reason):
    first, second = json_rows(f"{line}\n{{}}\n")
    assert first.problems[""].startswith(reason)
    assert second == Row(2, {})


def test_an_unknown_field_is_named_with_the_known_ones():
    [row] = json_rows(json.dumps({"mesage": 1, "\x1b[31m" + "x" * 100: 2, "message": "x"}))
    assert list(row.problems) == ["mesage", ascii("\x1b[31m" + "x" * 35)]
    assert all(name in row.problems["mesage"] for name in FIELDS)


def test_one_json_list_is_no_jsonl():
    assert "jq -c '.[]'" in trouble('[\n {"phone_number": "1"}\n]', json_records)


def test_a_line_that_is_not_utf_8_is_a_problem_of_its_own():
    assert json_rows(b'{"message": "caf\xe9"}')[0].problems == {"": "is not UTF-8"}


# Any file


@pytest.mark.parametrize("reader", [csv_records, json_records])
@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("phone_number".encode("utf-16"), "UTF-16"),
        ("phone_number".encode("utf-16-be"), "it is not UTF-8 text"),
        (b"PK\x03\x04\x14\x00", "spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "spreadsheet"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (b"\x28\xb5\x2f\xfd", "compressed"),
        (b"\x7fELF\x02\x00", "it is not UTF-8 text"),
        (b"x" * (LONGEST_LINE + 1), "line 1 is longer than 1,000,000 characters"),
        (b"x\n" + b"y" * (LONGEST_LINE + 1), "line 2 is longer"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_text_is_told_by_its_beginning(reader, content, named):
    if content.startswith(b"x\n") and reader is csv_records:
        content = content.replace(b"x\n", b"phone_number,message\n", 1)
    assert named in trouble(content, reader)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.csv", FileFormat.CSV),
        ("b.CSV", FileFormat.CSV),
        ("c.tsv", FileFormat.CSV),
        ("d.jsonl", FileFormat.JSONL),
        ("e.ndjson", "jsonl"),
    ],
)
def test_the_name_tells_the_format(name, form):
    assert format_of(name) == form


@pytest.mark.parametrize("name", ["a.txt", "csv", "a.csv.gz", "-", "a.json"])
def test_a_name_that_does_not_tell_is_asked_about(name):
    with pytest.raises(UnreadableFile, match="say --format csv or --format jsonl"):
        format_of(name)


def test_a_file_that_cannot_be_opened_is_explained(tmp_path):
    def attempt(name: str) -> str:
        with pytest.raises(UnreadableFile) as refused, opened(str(tmp_path / name), FileFormat.CSV) as rows:
            list(rows)
        return str(refused.value)

    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert attempt("missing.csv") == "there is no such file"
    assert attempt("") == "it is a folder"
    assert "too many levels" in attempt("circle")


def test_a_file_of_somebody_else_is_explained(tmp_path, monkeypatch):
    def refuse(*_arguments: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)  # the tests may run as root, whom no file refuses
    with pytest.raises(UnreadableFile, match="may not be read"), opened(str(tmp_path / "x.csv"), FileFormat.CSV):
        pass
