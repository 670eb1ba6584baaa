"""Somebody in front of a browser."""

from contextlib import suppress
from typing import Any

from admin import AdminServer
from playwright.sync_api import Browser, Error, Page, TimeoutError, expect  # noqa: A004 (the library calls it so)

from admin_api.auth.roles import Role
from admin_api.auth.urls import LOGIN, PREFIX
from waiting import wait_until

#: Milliseconds that a page may take on a machine with other things to do.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)

#: Chromium gives up all its requests when the machine's network changes, which starting a container does.
_INTERRUPTED = "ERR_NETWORK_CHANGED"

#: What a new window shows.
_BLANK = "about:blank"

DESK = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 740}


def open_actions(page: Page) -> None:
    """Open the dashboard's menu of further actions."""
    if page.locator(".more-actions[open]").count() == 0:
        page.get_by_label("More actions").click()


def choose(page: Page, action: str) -> None:
    """Press a button of the dashboard's menu of further actions."""
    open_actions(page)
    page.get_by_role("button", name=action).click()


class Visitor:
    """A browser window of one person, who may be logged in; everything that goes wrong in it is remembered.

    Args:
        browser: that the window belongs to.
        admin: whose pages are visited.
        options: for the window, such as `viewport` or `color_scheme`. Nothing moves without need, unless
            `reduced_motion` says otherwise: sixty pictures a second are much work without a graphics card.
    """

    def __init__(self, browser: Browser, admin: AdminServer, **options: Any) -> None:
        self._admin = admin
        usual = {"viewport": DESK, "locale": "en-GB", "base_url": admin.url, "reduced_motion": "reduce"}
        self._context = browser.new_context(**usual | options)
        self._context.set_default_timeout(PATIENCE)
        self._page = self._context.new_page()
        self.trouble: list[str] = []
        self._is_interrupted = False
        self._page.on("console", lambda message: self._note(message.type in {"error", "warning"}, message.text))
        self._page.on("pageerror", lambda error: self._note(True, str(error)))  # noqa: FBT003

    @property
    def page(self) -> Page:
        """What the window shows: the dashboard, if nothing was opened yet."""
        if self._page.url == _BLANK:
            self.go()
        return self._page

    def _note(self, is_trouble: bool, words: str) -> None:  # noqa: FBT001
        if _INTERRUPTED in words:
            self._is_interrupted = True
        elif is_trouble:
            self.trouble.append(f"{self._page.url}: {words}")

    def go(self, path: str = "/") -> Page:
        """Open a page of the dashboard, and wait until it has what it shows."""
        for _ in range(3):
            self._is_interrupted = False
            try:
                self._page.goto(f"{PREFIX}{path}")
            except Error as error:
                if _INTERRUPTED not in str(error):
                    raise
                continue
            if not self._is_interrupted:
                break
        self.settle()
        return self._page

    def jump(self, letter: str, path: str) -> None:
        """Go to a page with `g` and a letter."""

        def is_there() -> bool:
            # The page gives the second key little time, and a busy machine may take more between the two.
            self.page.keyboard.press("g")
            self.page.keyboard.press(letter)
            with suppress(TimeoutError):
                self.page.wait_for_url(f"**{PREFIX}{path}", timeout=PATIENCE / 6)
            return self.page.url.endswith(f"{PREFIX}{path}")

        wait_until(is_there, PATIENCE / 1000, f"g {letter} leads to {path}")

    def settle(self) -> None:
        """Wait until the page's own scripts have drawn what they fetched."""
        self._page.wait_for_load_state("load")
        self._page.wait_for_function(
            "() => ['login', 'error'].includes(document.body.dataset.page) || document.body.dataset.ready === 'true'"
        )

    def log_in(self, role: Role, name: str = "") -> "Visitor":
        """Log in as the form does, without drawing it and the dashboard after it: most tests are about other pages."""
        form = {"token": self._admin.token(role, name)}
        answer = self._context.request.post(f"{self._admin.url}{LOGIN}", form=form, max_redirects=0)
        assert answer.status == 303, answer.text()
        return self

    def log_in_with_the_form(self, role: Role, name: str = "") -> "Visitor":
        """Log in as people do."""
        self.go()
        self._page.get_by_label("Token").fill(self._admin.token(role, name))
        self._page.get_by_role("button", name="Log in").click()
        expect(self._page.get_by_role("heading", name="Dashboard", exact=True)).to_be_attached()
        self.settle()
        return self

    def fetch(self, method: str, path: str) -> int:
        """What the server says when the page asks for something without a button; the status."""
        script = """([method, path]) => {
            const token = document.querySelector('meta[name="csrf-token"]').content;
            return fetch(path, {method, headers: {'X-CSRF-Token': token}}).then(answer => answer.status);
        }"""
        status: int = self.page.evaluate(script, [method, f"{PREFIX}{path}"])
        return status

    def close(self) -> None:
        """Close the window."""
        self._context.close()
