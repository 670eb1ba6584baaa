"""What the columns of a CSV file are called: our own names, those that offices use, and what is left out; pure."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from difflib import get_close_matches

from antrian.operations.bulk_import.row import FIELDS, REQUIRED, UnreadableFile
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
}
_MEANT = {alias: name for name, aliases in _ALIASES.items() for alias in aliases.split()}

_MOST_LISTED = 5
_SHOWN = 40

KNOWN_COLUMNS = f"{', '.join(FIELDS)}, and {NOTE}NAME for a note"


class UnknownColumns(UnreadableFile):
    """The header has unknown names.

    Attributes:
        names: these, as they are written.
    """

    def __init__(self, names: Sequence[str]) -> None:
        listed = ", ".join(map(_guessed, names[:_MOST_LISTED]))
        more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
        super().__init__(
            f"its first line must name the columns, and there is no {listed}{more}. The columns are {KNOWN_COLUMNS}"
        )
        self.names = tuple(names)


def field_of(cell: str) -> str:
    """The field that a cell of the header stands for; the cell itself where none is known."""
    name = cell.strip()
    if name[: len(NOTE)].lower() == NOTE:
        return NOTE + name[len(NOTE) :].strip()
    plain = _plain(name)
    return plain if plain in FIELDS else _MEANT.get(plain, name)


def is_note(name: str) -> bool:
    """Whether a column is a note of its own."""
    return name.startswith(NOTE) and len(name) > len(NOTE)


def named(cells: Sequence[str], ignored: Collection[str] = ()) -> list[str]:
    """The field of each column, in the order of the header.

    Args:
        cells: of the header.
        ignored: columns that are left out, in any spelling.

    Raises:
        UnknownColumns: the header has unknown names.
        UnreadableFile: a column is missing, or there twice, or its name is no text.
    """
    if not all(map(is_utf8, cells)):
        raise UnreadableFile('its first line is not UTF-8 (Excel has "CSV UTF-8" for that)')
    left_out = {_plain(one) for one in ignored}
    names = [IGNORED if _plain(cell) in left_out else field_of(cell) for cell in cells]
    if unknown := [name for name in names if name not in {"", IGNORED, *FIELDS} and not is_note(name)]:
        raise UnknownColumns(unknown)
    if missing := [name for name in REQUIRED if name not in names]:
        raise UnreadableFile(f"its header has no column {' and no column '.join(missing)}")
    if twice := sorted(name for name, count in Counter(names).items() if count > 1 and name not in {"", IGNORED}):
        raise UnreadableFile(f"its header names {', '.join(twice)} twice")
    return names


def split_columns(text: str) -> tuple[str, ...]:
    """The columns in `a,b`, as people list those to leave out."""
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _plain(name: str) -> str:
    return re.sub(r"[\s._-]+", "_", name.strip().lower()).strip("_")


def _guessed(name: str) -> str:
    plain = _plain(name)
    alike = get_close_matches(plain, [*FIELDS, *_MEANT], 1, 0.75)
    meant = _MEANT.get(alike[0], alike[0]) if alike else f"{NOTE}{plain}" if plain.isidentifier() else ""
    return repr(name[:_SHOWN]) + (f" (did you mean {meant[:_SHOWN]}?)" if meant else "")
