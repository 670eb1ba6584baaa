"""Files that people upload in the page: checked at once, queued when they say so, forgotten after an hour.

Neither the file nor what was checked has a name on the disk, so both are gone with the process, however that ends.
"""

import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import IO

from antrian.domain.errors import AntrianError
from antrian.domain.settings import Settings
from antrian.operations.bulk_import.already_queued import Known
from antrian.operations.bulk_import.new_orders import new_orders, rehearse
from antrian.operations.bulk_import.publish import ImportPublisher, require_broker
from antrian.operations.bulk_import.report import ImportSummary
from antrian.operations.bulk_import.row import Row, UnreadableFile
from antrian.operations.bulk_import.row_check import Defaults, RowCheck
from antrian.operations.bulk_import.source_file import FileFormat, format_of, records_in
from antrian.operations.bulk_import.spool import Spool
from antrian.operations.bulk_import.validate import survey
from publisher.client import Publisher

#: Seconds after which an upload is forgotten, unless it is being queued.
LIFETIME = 3_600.0

#: Uploads that are kept at a time; of more, the oldest is forgotten.
MOST = 20

#: Rows of a file: so many take half a minute to check, and no user waits longer.
MOST_ROWS = 200_000

#: Files that are checked at a time; each takes a processor for itself.
_AT_ONCE = 2

#: Seconds that a broker may be away in the middle, and that the end of the process waits for the last confirms.
_PATIENCE, _GRACE = 60.0, 5.0


class UnknownUpload(AntrianError):
    """Nothing was uploaded under this id, or it is forgotten."""

    def __init__(self) -> None:
        super().__init__("this upload has expired, or the server was restarted; upload the file again")


class NotNow(AntrianError):
    """The upload is not in a state for this."""


class UploadState(StrEnum):
    """How far an upload is."""

    CHECKED = "checked"
    QUEUEING = "queueing"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """What holds for a file.

    Attributes:
        defaults: for what a row does not say.
        batch: rows of another batch are other messages.
        ignored: columns that are left out.
    """

    defaults: Defaults
    batch: str = ""
    ignored: Collection[str] = ()


@dataclass(slots=True)
class Upload:
    """One checked file.

    Attributes:
        name: the file's, as its owner calls it.
        spool: its right rows.
        report: what there is to tell of it.
        import_id: its id.
        created_at: unix seconds.
        state: how far it is.
        done: messages that were handed over, or left out because they are there already.
        problem: why it was not queued; empty when it was.
        is_stopped: whether the queueing is to end.
    """

    name: str
    spool: Spool
    report: ImportSummary
    import_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: float = field(default_factory=time.time)
    state: UploadState = UploadState.CHECKED
    done: int = 0
    problem: str = ""
    is_stopped: bool = False
    handover: ImportPublisher | None = None
    thread: threading.Thread | None = None

    @property
    def expires_at(self) -> float:
        """When it is forgotten, unix seconds."""
        return self.created_at + LIFETIME


class Uploads:
    """All uploads of this process; usable from any thread.

    Args:
        settings: of the process.
        known: what earlier imports have queued, asked each time.
    """

    def __init__(self, settings: Settings, known: Callable[[], Known]) -> None:
        self._settings = settings
        #: Those of the moment; the process replaces them when the file has others.
        self.lanes = settings.lanes
        self._known = known
        self._uploads: dict[str, Upload] = {}
        self._lock = threading.Lock()
        self._checks = threading.BoundedSemaphore(_AT_ONCE)
        self._timer: threading.Timer | None = None

    def check(self, file: IO[bytes], name: str, options: UploadOptions) -> Upload:
        """Check every row of a file; nothing is queued.

        Args:
            file: at its beginning.
            name: of the file; its end tells how it is written.
            options: that hold for it.

        Raises:
            UnreadableFile: it is not what it should be.
            NoRoom: the temporary folder is full.
            NotNow: other files are being checked.
        """
        if not self._checks.acquire(blocking=False):
            raise NotNow("other files are being checked; try again in a minute")
        try:
            return self._keep(self._checked(file, name, options))
        finally:
            self._checks.release()

    def _checked(self, file: IO[bytes], name: str, options: UploadOptions) -> Upload:
        check = RowCheck(self.lanes.names, options.defaults, datetime.now(UTC))
        spool = Spool()
        try:
            with records_in(file, _format(file, name), options.ignored) as records:
                findings = survey(_bounded(records), check, spool, batch=options.batch)
            report = ImportSummary(
                findings, len(spool), self._settings.whatsapp_queue_dedupe_hours, is_dry=True, skips=True
            )
            rehearse(self._known(), spool, report)
        except BaseException:
            spool.close()
            raise
        return Upload(name, spool, report)

    def get(self, import_id: str) -> Upload:
        """An upload.

        Raises:
            UnknownUpload: there is none.
        """
        with self._lock:
            self._forget_old(time.time())
            upload = self._uploads.get(import_id)
        if upload is None:
            raise UnknownUpload
        return upload

    def queue(self, import_id: str, *, skip_invalid: bool) -> Upload:
        """Begin to queue an upload's messages; it goes on by itself.

        Raises:
            UnknownUpload: there is none.
            NotNow: it was queued before, or has wrong rows that were not left out.
            BrokerError: no broker takes messages now; nothing was queued.
        """
        upload = self.get(import_id)
        findings = upload.report.findings
        if findings.wrong and not skip_invalid:
            raise NotNow(f"{findings.wrong:,} rows are wrong: correct them, or leave them out (skip_invalid)")
        require_broker(self._settings)
        with self._lock:
            if import_id not in self._uploads:
                raise UnknownUpload
            if upload.state is not UploadState.CHECKED:
                raise NotNow("this upload was already queued")
            upload.state = UploadState.QUEUEING
            upload.report = ImportSummary(findings, len(upload.spool), upload.report.hours, skips=skip_invalid)
            upload.thread = threading.Thread(target=self._run, args=(upload,), name="antrian import", daemon=True)
        upload.thread.start()
        return upload

    def drop(self, import_id: str) -> Upload:
        """Forget an upload; while it is being queued, only end that: what is in the queue stays.

        Raises:
            UnknownUpload: there is none.
        """
        upload = self.get(import_id)
        with self._lock:
            if upload.state is not UploadState.QUEUEING:
                self._forget(upload)
            else:
                _stop(upload)
        return upload

    def close(self) -> None:
        """End everything; what is on its way is waited for, but not for long."""
        with self._lock:
            uploads = list(self._uploads.values())
            for upload in uploads:
                _stop(upload)
        for upload in uploads:
            if upload.thread is not None:
                upload.thread.join(_GRACE)

    def _keep(self, upload: Upload) -> Upload:
        with self._lock:
            self._forget_old(upload.created_at)
            idle = [one for one in self._uploads.values() if one.state is not UploadState.QUEUEING]
            if len(idle) >= MOST:
                self._forget(min(idle, key=lambda one: one.created_at))
            self._uploads[upload.import_id] = upload
            self._look_later()
        return upload

    def _look_later(self) -> None:
        """Have the oldest forgotten when it is time, by one thread for all of them."""
        if self._timer is None and self._uploads:
            first = min(one.expires_at for one in self._uploads.values())
            self._timer = threading.Timer(max(1.0, first - time.time()), self._forget_later)
            self._timer.daemon = True
            self._timer.start()

    def _forget_later(self) -> None:
        with self._lock:
            self._timer = None
            self._forget_old(time.time())
            self._look_later()

    def _forget_old(self, now: float) -> None:
        for one in list(self._uploads.values()):
            if one.expires_at <= now and one.state is not UploadState.QUEUEING:
                self._forget(one)

    def _forget(self, upload: Upload) -> None:
        self._uploads.pop(upload.import_id, None)
        upload.spool.close()

    def _run(self, upload: Upload) -> None:
        report = upload.report

        def moved(done: int) -> None:
            upload.done = done

        try:
            with Publisher(self._settings, source="import") as publisher:
                handover = ImportPublisher(publisher, _PATIENCE)
                report.outcome = handover.outcome
                with self._lock:
                    upload.handover = handover
                    if upload.is_stopped:
                        handover.stop()
                handover.run(new_orders(self._known(), upload.spool, report, moved))
        except AntrianError as error:
            upload.problem = str(error)
        except Exception as error:
            upload.problem = (
                f"something went wrong on the server ({type(error).__name__}); it is safe to upload the file again"
            )
            raise
        finally:
            upload.done = len(upload.spool)
            upload.state = UploadState.DONE


def _stop(upload: Upload) -> None:
    """End the queueing, also one that has hardly begun."""
    upload.is_stopped = True
    if upload.handover is not None:
        upload.handover.stop()


def _bounded(records: Iterable[Row]) -> Iterator[Row]:
    for number, record in enumerate(records, 1):
        if number > MOST_ROWS:
            raise UnreadableFile(f"it has more than {MOST_ROWS:,} rows: split it, or use `antrian import`")
        yield record


def _format(file: IO[bytes], name: str) -> FileFormat:
    """What the name says; where it says nothing, what the file begins with."""
    if "." in name and name.rsplit(".", 1)[1].lower() in {"csv", "tsv", "jsonl", "ndjson"}:
        return format_of(name)
    beginning = file.read(100).lstrip(b"\xef\xbb\xbf \t\r\n")
    file.seek(0)
    return FileFormat.JSONL if beginning.startswith(b"{") else FileFormat.CSV
