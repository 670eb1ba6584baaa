"""What the columns of a CSV file are called: our own names, those that offices use, and what is left out; pure."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from difflib import get_close_matches

from antrian.operations.bulk_import.row import MESSAGE_COLUMNS, ColumnSet, UnreadableFile
from antrian.operations.bulk_import.text_lines import is_utf8

#: A note of its own: `metadata.invoice`.
NOTE = "metadata."

#: What a column that is left out is called.
IGNORED = "\0ignored"

#: Other names that spreadsheets give them, blanks and dots written as `_`. Not `no`, which mostly numbers the rows.
_ALIASES = {
    "phone_number": "phone mobile whatsapp wa hp no_hp nohp nomor nomer nomor_hp nomer_hp no_wa nomor_wa no_whatsapp "
    "nomor_whatsapp telepon telp no_telp no_telepon nomor_telepon handphone no_handphone nomor_handphone nomor_tujuan",
    "message": "text pesan teks isi isi_pesan",
    "priority": "prioritas",
    "deliver_at": "jadwal jadwal_kirim waktu_kirim kirim_pada dikirim_pada",
    "expires_at": "kedaluwarsa kadaluarsa kedaluwarsa_pada berlaku_sampai",
    "idempotency_key": "kunci",
    "lane": "jalur",
    "source": "sumber",
    "timezone": "zona zona_waktu tz time_zone",
}
_MEANT = {alias: name for name, aliases in _ALIASES.items() for alias in aliases.split()}

_MOST_LISTED = 5
_SHOWN = 40


def known_columns(columns: ColumnSet = MESSAGE_COLUMNS) -> str:
    """The columns that there may be, for people."""
    fields = ", ".join(columns.fields)
    return f"{fields}, and {NOTE}NAME for a note" if columns.has_notes else fields


class UnknownColumns(UnreadableFile):
    """The header has unknown names.

    Attributes:
        names: these, as they are written.
    """

    def __init__(self, names: Sequence[str], columns: ColumnSet = MESSAGE_COLUMNS) -> None:
        listed = ", ".join(_guessed(name, columns) for name in names[:_MOST_LISTED])
        more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
        super().__init__(
            f"its first line must name the columns, and there is no {listed}{more}. "
            f"The columns are {known_columns(columns)}"
        )
        self.names = tuple(names)


def field_of(cell: str, columns: ColumnSet = MESSAGE_COLUMNS) -> str:
    """The field that a cell of the header stands for; the cell itself where none is known."""
    name = cell.strip()
    if columns.has_notes and name[: len(NOTE)].lower() == NOTE:
        return NOTE + name[len(NOTE) :].strip()
    plain = _plain(name)
    meant = _MEANT.get(plain, plain)
    return meant if meant in columns.fields else name


def is_note(name: str) -> bool:
    """Whether a column is a note of its own."""
    return name.startswith(NOTE) and len(name) > len(NOTE)


def named(cells: Sequence[str], ignored: Collection[str] = (), columns: ColumnSet = MESSAGE_COLUMNS) -> list[str]:
    """The field of each column, in the order of the header.

    Args:
        cells: of the header.
        ignored: columns that are left out, in any spelling.
        columns: that there may be.

    Raises:
        UnknownColumns: the header has unknown names.
        UnreadableFile: a column is missing, or there twice, or its name is no text.
    """
    if not all(map(is_utf8, cells)):
        raise UnreadableFile('its first line is not UTF-8 (Excel has "CSV UTF-8" for that)')
    left_out = {_plain(one) for one in ignored}
    names = [IGNORED if _plain(cell) in left_out else field_of(cell, columns) for cell in cells]
    known = {"", IGNORED, *columns.fields}
    if unknown := [name for name in names if name not in known and not (columns.has_notes and is_note(name))]:
        raise UnknownColumns(unknown, columns)
    if missing := [name for name in columns.required if name not in names]:
        raise UnreadableFile(f"its header has no column {' and no column '.join(missing)}")
    if twice := sorted(name for name, count in Counter(names).items() if count > 1 and name not in {"", IGNORED}):
        raise UnreadableFile(f"its header names {', '.join(twice)} twice")
    return names


def split_columns(text: str) -> tuple[str, ...]:
    """The columns in `a,b`, as people list those to leave out."""
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _plain(name: str) -> str:
    return re.sub(r"[\s._-]+", "_", name.strip().lower()).strip("_")


def _guessed(name: str, columns: ColumnSet) -> str:
    plain = _plain(name)
    aliases = [alias for alias, meant in _MEANT.items() if meant in columns.fields]
    alike = get_close_matches(plain, [*columns.fields, *aliases], 1, 0.75)
    note = f"{NOTE}{plain}" if columns.has_notes and plain.isidentifier() else ""
    meant = _MEANT.get(alike[0], alike[0]) if alike else note
    return repr(name[:_SHOWN]) + (f" (did you mean {meant[:_SHOWN]}?)" if meant else "")
