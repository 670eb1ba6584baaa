"""How log lines look, whoever writes them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from antrian_process import run_antrian
from factories import make_settings

from antrian.domain.errors import SettingsError

PROGRAM = """
import logging, sys, threading, warnings
import structlog
from antrian.cli.logs import configure_logs
configure_logs({form!r}, {level!r})
log = structlog.get_logger()
{body}
"""


def log(body: str, *, form: str = "auto", level: str = "info") -> str:
    """What a program writes on stderr, which is no terminal."""
    program = PROGRAM.format(form=form, level=level, body=body)
    done = run_antrian(["-c", program], env=os.environ)
    assert done.stdout == ""
    return done.stderr


def lines(body: str, **options: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log(body, **options).splitlines()]


def test_a_line_is_json_with_event_level_and_time():
    [line] = lines("log.info('message.sent', message_id='m1', lane='default')")
    assert line.items() >= {"event": "message.sent", "level": "info", "message_id": "m1", "lane": "default"}.items()
    assert line["timestamp"].endswith("Z")


def test_pretty_is_for_people():
    text = log("log.info('message.sent', message_id='m1')", form="pretty")
    assert "message.sent" in text
    assert not text.startswith("{")


@pytest.mark.parametrize(("level", "shown"), [("debug", 3), ("info", 2), ("warning", 1), ("error", 0)])
def test_the_level_decides_what_is_shown(level, shown):
    assert len(lines("log.debug('a'); log.info('b'); log.warning('c')", level=level)) == shown


def test_what_libraries_log_has_the_same_form_from_warnings_on():
    found = lines(
        "logging.getLogger('uvicorn.error').info('x'); logging.getLogger('some.library').warning('odd: %s', 1)"
    )
    assert [(line["event"], line["level"], line["logger"]) for line in found] == [("odd: 1", "warning", "some.library")]


def test_our_own_standard_logger_is_heard_from_info_on():
    [line] = lines("logging.getLogger('antrian.io').info('connected')")
    assert line["event"] == "connected"


def test_a_librarys_sentence_shows_no_phone_number():
    [line] = lines(
        "logging.getLogger('some.library').error('cannot reach +62 812-3456-7890 or 081234567890 on port 8080')"
    )
    assert line["event"] == "cannot reach •••• or •••• on port 8080"


def test_an_exception_is_one_field_without_phone_numbers():
    body = (
        "try:\\n    raise ValueError('+6281234567890 is private')\\nexcept ValueError:\\n    log.exception('it.failed')"
    )
    [line] = lines(body.replace("\\n", "\n"))
    assert "ValueError: •••• is private" in line["exception"]
    assert "Traceback" in line["exception"]


def test_a_thread_that_breaks_is_one_line():
    body = "t = threading.Thread(target=lambda: 1 / 0, name='lane'); t.start(); t.join()"
    [line] = lines(body)
    assert (line["event"], line["thread"]) == ("thread.broken", "lane")


def test_a_process_that_breaks_is_one_line():
    [line] = lines("raise KeyError('081234567890')")
    assert line["event"] == "process.broken"
    assert "081234567890" not in json.dumps(line)


def test_a_warning_is_one_line():
    [line] = lines("warnings.warn('this will go', DeprecationWarning)")
    assert line["level"] == "warning"


@pytest.mark.parametrize(("variable", "value"), [("ANTRIAN_LOG_FORMAT", "xml"), ("ANTRIAN_LOG_LEVEL", "loud")])
def test_a_wrong_value_is_named(variable, value):
    with pytest.raises(SettingsError, match=variable):
        make_settings(**{variable: value})


def test_a_level_is_known_in_any_case():
    assert make_settings(ANTRIAN_LOG_LEVEL="WARNING").antrian_log_level == "warning"


def test_a_line_that_cannot_be_written_stops_nobody():
    program = PROGRAM.format(form="json", level="info", body="log.info('lost'); print('went on')")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=full, text=True, timeout=60, check=False
        )
    assert done.stdout == "went on\n"
