"""How pages and answers travel: compressed, except for the stream of news, and found at the bare address."""

import re

import requests

from admin_api.auth.roles import Role
from admin_api.auth.urls import PREFIX
from admin_api.dashboard import assets


def test_text_travels_compressed_but_the_stream_of_news_comes_at_once(admin):
    headers = {"Authorization": f"Bearer {admin.token(Role.VIEWER)}", "Accept-Encoding": "gzip"}
    script = f"{PREFIX}/static/{assets.version()}/app.js"
    for path, kind in ((f"{PREFIX}/", "text/html"), (script, "text/javascript"), (f"{PREFIX}/status", "*/*")):
        answer = requests.get(admin.url + path, headers=headers | {"Accept": kind}, timeout=60)
        assert (answer.status_code, answer.headers.get("content-encoding")) == (200, "gzip"), path
        assert answer.headers["vary"] == "Accept-Encoding"
    plain = requests.get(admin.url + script, headers=headers | {"Accept-Encoding": "identity"}, timeout=60)
    assert "content-encoding" not in plain.headers
    with requests.get(f"{admin.url}{PREFIX}/events", headers=headers, stream=True, timeout=60) as stream:
        assert "content-encoding" not in stream.headers
        assert next(stream.iter_lines()).startswith(b"event: hello")


def test_a_page_asks_for_all_its_modules_at_once(admin):
    headers = {"Authorization": f"Bearer {admin.token(Role.VIEWER)}", "Accept": "text/html"}
    page = requests.get(f"{admin.url}{PREFIX}/", headers=headers, timeout=60).text
    named = re.findall(r'rel="modulepreload" [^>]*href="[^"]*/static/\w+/([^"]+)"', page)
    assert named == list(assets.modules("dashboard"))
    assert {"app.js", "pages/dashboard.js", "dom.js", "chart.js"} <= set(named)
    for name in named:
        text = (assets.FOLDER / name).read_text()
        imported = {found.rpartition("/")[2] for found in re.findall(r'from "([./\w]+\.js)"', text)}
        assert imported <= {one.rpartition("/")[2] for one in named}, name


def test_the_bare_address_leads_to_the_dashboard(admin):
    headers = {"Authorization": f"Bearer {admin.token(Role.VIEWER)}"}
    answer = requests.get(f"{admin.url}/", headers=headers, allow_redirects=False, timeout=60)
    assert (answer.status_code, answer.headers["location"]) == (307, f"{PREFIX}/")
