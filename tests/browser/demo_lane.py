"""A lane in which a bit of everything has happened."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from admin import AdminServer

from admin_api.auth.roles import Role
from publisher import Publisher
from waiting import wait_until

GOOD, UNKNOWN_NUMBER = "081234567890", "081234569001"


class Scene:
    """What the pages have to show.

    Attributes:
        sent: id of a message that was sent.
        waiting: id of one that waits.
        dead: id of a dead letter.
    """

    def __init__(self, admin: AdminServer, publisher: Publisher) -> None:
        self.api = admin.client(Role.ADMIN, "scene")
        self._publisher = publisher
        self.sent = self.waiting = self.dead = ""

    def play(self, start_consumer: Callable[[], Any]) -> Self:
        """Let it happen; at the end the lane is paused."""
        self.sent = self._publish(GOOD, "Pendaftaran Anda sudah kami terima.", priority="high")
        for number in range(3):
            self.dead = self._publish(UNKNOWN_NUMBER, f"Bayar di https://bayar.example/{number}")
        start_consumer()
        self._wait(lambda: self.api.get("/failed")["total"] == 3, "three are dead")
        self._wait(lambda: self.api.get(f"/messages/{self.sent}")["state"] == "sent", "one is sent")
        self.api.post("/pause")
        self._remove_and_redrive()
        self._leave_some_waiting()
        return self

    def _remove_and_redrive(self) -> None:
        self._publish(GOOD, "dibersihkan")
        self._wait(lambda: self.api.get("/status")["waiting"] == 1, "one waits")
        self.api.post("/clear", {"scope": "queued"})
        self.api.post(f"/failed/{self.dead}/note", {"note": "Nomor salah ketik?"})
        oldest = self.api.get("/failed")["items"][-1]["message_id"]
        self.api.post("/failed/redrive", {"ids": [oldest]})
        self._wait(lambda: self.api.get("/failed")["total"] == 2, "one is back in its lane")
        self._wait(lambda: self.api.get("/undo")["items"], "the clearing is on record")
        self._wait(lambda: self.api.get("/jobs")["items"][0]["state"] == "done", "the re-drive is over")

    def _leave_some_waiting(self) -> None:
        for priority in ("low", "normal", "high"):
            self.waiting = self._publish(GOOD, f"menunggu, {priority}", priority=priority)
        later = datetime.now(UTC) + timedelta(hours=2)
        self._publish(GOOD, "nanti", deliver_at=later)
        self._wait(lambda: len(self.api.get("/status")["next_messages"]) >= 3, "some wait")

    def _publish(self, number: str, text: str, **more: Any) -> str:
        return self._publisher.queue_message(number, text, **more).message_id

    def _wait(self, condition: Callable[[], object], what: str) -> None:
        wait_until(condition, 20, what, every=0.1)
