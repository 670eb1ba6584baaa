"""How log lines look: constant events with fields; for people on a terminal, as JSON everywhere else.

What libraries log through Python's own `logging` comes out in the same form, from warnings upwards. Their texts, and
the texts of exceptions, are not ours: a run of digits as long as a phone number is covered in both.
"""

import logging
import sys
import threading
from contextlib import suppress
from typing import Literal, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from antrian.domain.private_text import DOTS, LIKE_A_NUMBER_IN_LOGS

Form = Literal["auto", "json", "pretty"]

#: Loggers that tell the course of things in sentences; our own events tell the same.
_TALKATIVE = ("uvicorn", "uvicorn.error", "uvicorn.access")


def configure_logs(form: Form = "auto", level: str = "info") -> None:
    """Set up the logs of this process, on stderr; called once, when the process starts.

    Args:
        form: `json`, `pretty`, or `auto`: pretty if stderr is a terminal.
        level: the least level that is shown: `debug`, `info`, `warning` or `error`.
    """
    pretty = sys.stderr.isatty() if form == "auto" else form == "pretty"
    number = logging.getLevelNamesMapping()[level.upper()]
    ending = _ending(pretty=pretty)
    structlog.configure(
        processors=[*_beginning(pretty=pretty), *ending],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Forgiving(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    _adopt_foreign_logs(_beginning(pretty=pretty), ending, number)
    sys.excepthook = lambda *error: structlog.get_logger().critical("process.broken", exc_info=error)
    threading.excepthook = _thread_broke


class _Forgiving:
    """A text stream that loses what it cannot write.

    A full disk or a reader that is gone must not end a program in the middle of its work: between a send and its
    record that would send a message twice.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def _beginning(*, pretty: bool) -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S.%f" if pretty else "iso", utc=not pretty),
    ]


def _ending(*, pretty: bool) -> list[Processor]:
    renderer: Processor
    renderer = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(ensure_ascii=False)
    return [structlog.processors.format_exc_info, _cover_exceptions, renderer]


def _adopt_foreign_logs(beginning: list[Processor], ending: list[Processor], level: int) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*beginning, structlog.stdlib.add_logger_name, _cover_event],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    logging.getLogger("antrian").setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)


def _cover_event(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    """A library's sentences may hold anything."""
    fields["event"] = LIKE_A_NUMBER_IN_LOGS.sub(DOTS, str(fields.get("event", "")))
    return fields


def _cover_exceptions(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    """An exception's text may quote what it was about."""
    if "exception" in fields:
        fields["exception"] = LIKE_A_NUMBER_IN_LOGS.sub(DOTS, str(fields["exception"]))
    return fields


def _thread_broke(broken: threading.ExceptHookArgs) -> None:
    if broken.exc_type is SystemExit or broken.exc_value is None:
        return
    error = (broken.exc_type, broken.exc_value, broken.exc_traceback)
    name = broken.thread.name if broken.thread else ""
    structlog.get_logger().critical("thread.broken", thread=name, exc_info=error)
