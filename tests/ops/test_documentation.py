"""The pages for people: their links lead somewhere, their commands are understood, their words are the dashboard's."""

import re
import subprocess
from pathlib import Path

import pytest
import runbook

from admin_api.dashboard import translation

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

PAGES = sorted(
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    if not name.startswith("docs/templates/")
)
COMMANDS = [
    command
    for page in PAGES
    if page.parent.name != "runbooks"
    for command in runbook.typed(page.stem, page.read_text())
]

#: In the glossary, for a word that the dashboard does not use.
NOT_SHOWN = "\N{EN DASH}"

#: Addresses in the running text; fenced blocks may hold anything.
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```$", flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """What `#…` may name on a page, as GitHub makes it from the headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCED.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = (page.parent / path) if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.page}: {' '.join(command.words)}")
def test_the_program_understands_every_command(command: runbook.Command) -> None:
    runbook.understand(command)


def test_the_index_names_every_page() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    folders = ("*.md", "howto/*.md", "reference/*", "decisions/*.md")
    pages = [page for folder in folders for page in DOCS.glob(folder)]
    assert [page.name for page in pages if page.name != "README.md" and f"{page.name})" not in index] == []


def test_the_glossary_says_what_the_dashboard_says() -> None:
    rows = re.findall(r"^\| ([^|]+) \|[^|]+\| ([^|]+) \| ([^|]+) \|$", (DOCS / "glossary.md").read_text(), re.MULTILINE)
    spoken = translation.translations("id")
    wrong = [
        (word, english, indonesian)
        for word, english, indonesian in rows[2:]
        if english != NOT_SHOWN and spoken.gettext(english) != indonesian
    ]
    assert wrong == []
    assert len(rows) > 40


def test_every_page_that_the_doctor_sends_people_to_is_there() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "antrian" / "doctor").glob("*.py"))
    pages = set(re.findall(r"docs/[\w/-]+\.md", sources))
    assert len(pages) > 5
    assert [page for page in sorted(pages) if not (ROOT / page).is_file()] == []
