"""A browser, the admin side with a real broker behind it, and people in front of both."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from antrian.domain.settings import Settings

# The processes are those of the end-to-end tests.
sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

import axe
import chromium
from admin import AdminServer
from browser_client import PATIENCE, Visitor
from demo_lane import Scene
from lane_with_admin import Stage, open_stage
from processes import ConsumerProcess

OpenWindow = Callable[..., Visitor]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; not for longer than a module, because in its time no other test can use asyncio."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium.find(), args=list(chromium.ARGUMENTS), timeout=2 * PATIENCE
        )
        yield started
        started.close()


@pytest.fixture(scope="session")
def axe_script() -> str:
    """axe-core."""
    return axe.source()


@pytest.fixture
def stage(settings: Settings, tmp_path: Path) -> Iterator[Stage]:
    """A lane, its provider and its admin side, for one test alone."""
    with open_stage(settings, tmp_path) as opened:
        yield opened


@pytest.fixture
def admin(stage: Stage) -> AdminServer:
    """The admin side, running."""
    return stage.admin


@pytest.fixture
def consumer(stage: Stage) -> Callable[..., ConsumerProcess]:
    """Start the consumer."""
    return stage.start_consumer


@pytest.fixture
def scene(stage: Stage) -> Scene:
    """A lane with a bit of everything: sent, waiting, scheduled, dead, cleared, re-driven; paused, so that it stays."""
    return stage.play()


@pytest.fixture
def window(browser: Browser, admin: AdminServer) -> Iterator[OpenWindow]:
    """Open windows; at the end, none of them may have had any trouble."""
    opened: list[Visitor] = []

    def open_window(**options: object) -> Visitor:
        opened.append(Visitor(browser, admin, **options))
        return opened[-1]

    yield open_window
    for one in opened:
        one.close()
    assert [trouble for one in opened for trouble in one.trouble] == []
