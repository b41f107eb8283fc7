"""Log lines: their shape for people, programs and the journal, and the secrets they never show."""

from __future__ import annotations

import io
import json
import logging
import os

import numpy as np
import pytest
import structlog

from edged.clock import ManualClock
from edged.config import LogConfig
from edged.ops.logs import configure_logging


@pytest.fixture(autouse=True)
def _restore():
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def out():
    return io.StringIO()


def configure(stream, form="json", level="info", environ=None):
    config = LogConfig(format=form, level=level)
    configure_logging(config, clock=ManualClock(), stream=stream, environ=environ or {})
    return structlog.get_logger("edged.test")


def test_json_is_one_object_a_line_with_time_level_and_event_first(out):
    configure(out).info("door_unlocked", door_id="door1")
    assert out.getvalue() == (
        '{"at": "2026-01-01T08:00:00.000Z", "level": "info", "event": "door_unlocked", "door_id": "door1"}\n'
    )


def test_text_has_no_colours_when_it_is_not_a_terminal(out):
    configure(out, "text").warning("camera_lost", reason="silent")
    assert out.getvalue().split() == [
        "2026-01-01T08:00:00.000Z",
        "[warning",
        "]",
        "camera_lost",
        "reason=silent",
    ]


@pytest.mark.parametrize(("level", "shown"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_least_level_holds_for_edged_and_for_libraries(out, level, shown):
    log = configure(out, level=level)
    for logger in (log, logging.getLogger("library")):
        for name in ("debug", "info", "warning", "error"):
            getattr(logger, name)("x")
    assert len(out.getvalue().splitlines()) == 2 * shown


def test_a_traceback_is_in_the_line_and_its_credentials_are_not(out):
    log = configure(out)
    try:
        raise OSError("cannot open rtsp://admin:hunter2@cam/1")
    except OSError:
        log.exception("camera_failed")
    line = json.loads(out.getvalue())
    assert "OSError: cannot open rtsp://***@cam/1" in line["exception"]
    assert "hunter2" not in out.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize(
    "fields",
    [
        {"token": "hunter2"},
        {"api_key": "hunter2"},
        {"Password": "hunter2"},
        {"settings": {"mqtt": [{"client-secret": "hunter2"}]}},
        {"source": "rtsp://admin:hunter2@cam/1"},
        {"sources": ("http://u:hunter2@cam/1",)},
        {"error": OSError("http://u:hunter2@cam/1 is away")},
        {"raw": b"hunter2"},
    ],
)
def test_secrets_are_masked_wherever_they_are(out, form, fields):
    configure(out, form).info("x", **fields)
    assert "hunter2" not in out.getvalue()
    assert "x" in out.getvalue()


def test_secrets_in_the_lines_of_libraries_are_masked_too(out):
    configure(out)
    logging.getLogger("library").warning("cannot reach %s", "http://u:hunter2@host/")
    assert "http://***@host/" in out.getvalue()


def test_pictures_never_reach_a_line(out):
    configure(out).info("shot", picture=np.full((2, 2), 77, np.uint8))
    assert json.loads(out.getvalue())["picture"] == "<array (2, 2)>"


def test_a_value_without_a_secret_stays(out):
    configure(out).info("x", keyboard="a", monkey=None, password=None, score=91.5)
    line = json.loads(out.getvalue())
    assert (line["keyboard"], line["monkey"], line["password"], line["score"]) == ("a", None, None, 91.5)


@pytest.fixture
def journal(tmp_path):
    """A file that stands for the journal's socket, and the variable with which systemd names it."""
    with (tmp_path / "journal").open("w+") as stream:
        status = os.fstat(stream.fileno())
        yield stream, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}


def written(stream) -> list[str]:
    stream.seek(0)
    return stream.read().splitlines()


def test_the_journal_gets_priorities_and_no_times(journal):
    stream, environ = journal
    log = configure(stream, "text", environ=environ)
    log.info("a")
    log.error("b")
    logging.getLogger("library").warning("c")
    lines = written(stream)
    assert [line[:3] for line in lines] == ["<6>", "<3>", "<4>"]
    assert not any("2026" in line for line in lines)


def test_every_line_of_a_traceback_has_its_priority_in_the_journal(journal):
    stream, environ = journal
    log = configure(stream, "text", environ=environ)
    try:
        raise ValueError("x")
    except ValueError:
        log.exception("failed")
    assert {line[:3] for line in written(stream)} == {"<3>"}


def test_a_stream_that_is_not_the_journals_keeps_its_times(out):
    configure(out, environ={"JOURNAL_STREAM": "1:2"}).info("a")
    assert "2026-01-01" in out.getvalue()
