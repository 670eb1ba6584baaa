"""What the server itself does for the dashboard's pages."""

import re
from html.parser import HTMLParser

import httpx
import pytest
from auth_app import House, Visitor
from fastapi import FastAPI

from admin_api import problems
from admin_api.auth.headers import HEADERS
from admin_api.auth.middleware import guard_app
from admin_api.auth.urls import PREFIX
from admin_api.dashboard import assets, pages
from admin_api.problems import Problem

HTML = {"Accept": "text/html,application/xhtml+xml"}
PAGES = (
    "",
    "/",
    "/desk",
    "/desk/some-id",
    "/message/some/odd%20id",
    "/search",
    "/report",
    "/activity",
    "/health",
    "/opt-outs",
    "/contact/+62812",
    "/planning",
)


@pytest.fixture
def house(tmp_path) -> House:
    """The dashboard in the house, instead of the pages that stand there."""
    house = House(tmp_path)
    house.app = FastAPI()
    problems.install(house.app)
    guard_app(house.app, house.keeper, house)
    house.app.add_middleware(pages.ErrorPages)
    house.app.include_router(pages.router)
    pages.mount_static(house.app)

    @house.app.get(f"{PREFIX}/broken")
    def broken() -> None:
        raise Problem(503, detail="The broker <is> away")

    return house


@pytest.fixture
def reader(house) -> Visitor:
    return house.browser("viewer")


class Tags(HTMLParser):
    """Everything in a page that a strict policy would refuse, and every address it names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.inline += [name for name in values if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in values):
            self.inline.append(tag)
        self.addresses += [values[name] for name in ("href", "src") if values.get(name)]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_nothing_that_its_policy_refuses(reader, path):
    answer = reader.get(f"{PREFIX}{path}", headers=HTML)
    assert answer.status_code == 200
    assert Tags(answer.text).inline == []
    assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_every_address_in_a_page_is_ours_and_leads_somewhere(reader):
    for address in set(Tags(reader.get(f"{PREFIX}/", headers=HTML).text).addresses) - {"#main"}:
        assert address.startswith(f"{PREFIX}/")
        assert reader.get(address.partition("#")[0], headers=HTML).status_code in {200, 303}


def test_what_somebody_wrote_into_an_address_is_only_text(reader):
    page = reader.get(f'{PREFIX}/message/"><script>alert(1)</script>', headers=HTML).text
    assert "<script>alert" not in page


def test_static_files_may_be_kept_because_their_address_changes_with_them(house):
    stranger = house.visitor()
    kept = stranger.get(f"static/{assets.version()}/app.js")
    assert (kept.status_code, kept.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert "javascript" in kept.headers["content-type"]
    assert stranger.get("static/older/app.js").headers["cache-control"] == "no-cache"
    assert stranger.get(f"static/{assets.version()}/../pages.py").status_code == 404


def test_the_version_names_the_content(tmp_path):
    (tmp_path / "a.js").write_text("one")
    before = assets.version(tmp_path)
    assert assets.version(tmp_path) == before
    (tmp_path / "a.js").write_text("two")
    assert assets.version(tmp_path) != before


def test_errors_are_pages_for_people_and_problems_for_programs(reader):
    page = reader.get("broken", headers=HTML)
    assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "The broker &lt;is&gt; away" in page.text
    assert int(page.headers["content-length"]) == len(page.content)
    problem = reader.get("broken")
    assert (problem.status_code, problem.headers["content-type"]) == (503, "application/problem+json")


def test_an_unknown_address_is_a_page_that_leads_back(reader):
    page = reader.get("nowhere", headers=HTML)
    assert page.status_code == 404
    assert f'href="{PREFIX}/"' in page.text


def test_a_stranger_is_led_to_the_login_and_back(house):
    answer = house.visitor().get("desk?code=x", headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"{PREFIX}/login?next=%2Fadmin%2Fwhatsapp-queue%2Fdesk%3Fcode%3Dx",
    )
    form = house.visitor().get(answer.headers["location"], headers=HTML)
    assert f'name="next" value="{PREFIX}/desk?code=x"' in form.text


@pytest.mark.parametrize("error", ["wrong", "role", "link", "expired", "throttled", "unavailable"])
def test_the_login_page_says_why_it_did_not_work(house, error):
    assert 'role="alert"' in house.visitor().get(f"login?error={error}").text
    assert 'role="alert"' not in house.visitor().get("login").text


def test_a_chosen_language_is_remembered_and_leads_only_to_our_pages(house):
    stranger = house.visitor()
    answer = stranger.get("language/id?next=https://example.com/")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PREFIX}/")
    page = stranger.get("login")
    assert page.headers["content-language"] == "id"
    assert '<html lang="id"' in page.text
    assert "set-cookie" not in stranger.get("language/xx").headers


def test_the_scripts_get_their_words(house):
    words: httpx.Response = house.visitor().get("strings/id.js")
    assert words.headers["content-type"].startswith("text/javascript")
    texts, sentences = r"globalThis\.antrianStrings = \{.*\};\n", r"globalThis\.antrianSentences = \{.*\};\n"
    vocabulary = r"globalThis\.antrianVocabulary = \{.*?\};\n"
    assert re.fullmatch(vocabulary + texts + sentences, words.text, re.DOTALL)
    assert '"Dead letters": "Pesan gagal"' in words.text
    empty = "globalThis.antrianStrings = {};\nglobalThis.antrianSentences = {};\n"
    assert house.visitor().get("strings/en.js").text.endswith(empty)


def test_a_browser_keeps_the_words_of_the_version_that_a_page_names(house, reader):
    address = re.search(r'src="([^"]+strings/en\.js\?v=[^"]+)"', reader.get(f"{PREFIX}/", headers=HTML).text)[1]
    stranger = house.visitor()
    assert "immutable" in stranger.get(address.removeprefix(f"{PREFIX}/")).headers["cache-control"]
    assert stranger.get("strings/en.js?v=old").headers["cache-control"] == "no-cache"


def test_the_theme_is_in_the_first_paint(reader):
    reader.client.cookies.set("antrian_theme", "dark")
    assert 'data-theme="dark"' in reader.get(f"{PREFIX}/", headers=HTML).text
    reader.client.cookies.set("antrian_theme", 'x"onload="')
    assert 'data-theme="auto"' in reader.get(f"{PREFIX}/", headers=HTML).text


def test_words_that_are_looked_up_by_what_others_wrote_are_not_found_in_every_object():
    """A cause called `constructor` or `__proto__` would give a function for a text, and end the page's script."""
    known = [
        (path, name, re.search(rf"^(?:export )?const {name} = \{{\s*(\S+ ?\S+)", script, re.MULTILINE))
        for path in assets.FOLDER.rglob("*.js")
        for script in [path.read_text(encoding="utf-8")]
        for name in sorted(set(re.findall(r"\b([A-Z_]{3,})\[[^\]\d\"']+\](?: \?\?|\?\.)", script)))
    ]
    assert len(known) > 10
    assert [(path.name, name) for path, name, found in known if found and found[1] != "__proto__: null,"] == []


def test_all_style_sheets_come_in_one(house):
    sheets = {path.stem for path in (assets.FOLDER / "style").glob("*.css")}
    assert sheets == set(assets.SHEETS)
    whole = house.visitor().get(f"static/{assets.version()}/{assets.ALL_STYLES}")
    assert whole.headers["content-type"].startswith("text/css")
    assert all((assets.FOLDER / "style" / f"{sheet}.css").read_text() in whole.text for sheet in sheets)
