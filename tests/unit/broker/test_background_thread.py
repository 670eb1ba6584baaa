"""A thread whose loss is logged, told, and followed by a new start."""

import threading

import pytest
import structlog

from antrian.broker import background_thread
from antrian.broker.background_thread import BackgroundThread
from waiting import wait_until


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(background_thread, "RESTART_PERIOD", 0.01)


@pytest.mark.parametrize("loss", [SystemExit(1), MemoryError(), None])
def test_work_that_ends_without_having_been_told_to_is_told_and_started_again(loss):
    stopping, runs = threading.Event(), []

    def work():
        runs.append(1)
        if len(runs) == 1:
            if loss is not None:
                raise loss
            return
        stopping.wait()

    thread = BackgroundThread(work, name="worker", stopping=stopping)
    assert not thread.is_well
    with structlog.testing.capture_logs() as logs:
        thread.start()
        wait_until(lambda: len(runs) == 2, 10, "it runs again")
        assert thread.is_alive
        assert not thread.is_well
        stopping.set()
        thread.join(60)
    assert not thread.is_alive
    assert [(one["event"], one["thread"]) for one in logs] == [("thread.lost", "worker")]


def test_a_loss_is_told_for_a_while_only(monkeypatch):
    monkeypatch.setattr(background_thread, "TOLD_FOR", 0.0)
    stopping, runs = threading.Event(), []

    def work():
        runs.append(1)
        if len(runs) > 1:
            stopping.wait()

    thread = BackgroundThread(work, name="worker", stopping=stopping)
    with structlog.testing.capture_logs():
        thread.start()
        wait_until(lambda: len(runs) == 2, 10, "it runs again")
    assert thread.is_well
    stopping.set()
    thread.join(60)


def test_work_that_ends_as_it_was_told_to_is_no_loss():
    stopping = threading.Event()
    thread = BackgroundThread(stopping.wait, name="worker", stopping=stopping)
    with structlog.testing.capture_logs() as logs:
        thread.start()
        assert thread.is_well
        stopping.set()
        thread.join(60)
    assert logs == []
