"""How log lines look: constant events with fields; for people on a terminal, as JSON everywhere else."""

import logging
import sys

import structlog


def configure_logs(*, pretty: bool | None = None, level: int = logging.INFO) -> None:
    """Set up structlog for this process, on stderr.

    Args:
        pretty: for people; None asks whether stderr is a terminal.
        level: the least level that is shown.
    """
    pretty = sys.stderr.isatty() if pretty is None else pretty
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S.%f" if pretty else "iso", utc=not pretty),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
