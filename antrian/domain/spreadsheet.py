"""Cells that a spreadsheet shows and never runs."""

#: What makes a spreadsheet take a cell for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 (full width: Excel takes them as well)


def plain_cell(cell: str) -> str:
    """The cell, with an apostrophe in front if it would be taken for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
