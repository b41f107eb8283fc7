"""How log lines look and what never appears in them. Each module decides itself what it logs.

Everything goes to standard error: text for people or one JSON object a line, the lines of libraries too. The
journal of systemd has its own clock, so lines carry no time there but a priority for `journalctl -p`.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.types import EventDict, Processor, WrappedLogger

from edged.clock import Clock, iso
from edged.config import LogConfig
from edged.config.mask import MASK, mask_url

_SECRET_NAME = re.compile(r"(?i)(?:^|[_-])(?:token|key|secret|password|passwd|authorization|cookie)$")

# syslog(3) priorities, which the journal reads from a `<6>` at the beginning of a line
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "exception": 3, "critical": 2}


def configure_logging(config: LogConfig, *, clock: Clock, stream: TextIO, environ: Mapping[str, str]) -> None:
    """Set up logging for the whole process, once, before anything logs.

    Args:
        config: least level and format.
        clock: gives the time of each line.
        stream: usually `sys.stderr`; colours when it is a terminal.
        environ: holds JOURNAL_STREAM where systemd has started the process.
    """
    journal = is_journal(stream, environ)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            processors=_processors(config, clock, stream, journal),
            foreign_pre_chain=[structlog.stdlib.add_log_level],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(config.level.upper())
    # at info it logs every job of every start, between the lines that people look for
    logging.getLogger("apscheduler").setLevel("DEBUG" if config.level == "debug" else "WARNING")
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether `stream` goes to the journal: JOURNAL_STREAM names its device and inode (systemd.exec(5)).

    The variable alone proves nothing: processes with a redirected stream inherit it.
    """
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _processors(config: LogConfig, clock: Clock, stream: TextIO, journal: bool) -> list[Processor]:
    def put_first(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        time = {} if journal else {"at": iso(clock.now())}
        return {**time, "level": event.pop("level", method), "event": event.pop("event", ""), **event}

    text = structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
    )
    return [
        ProcessorFormatter.remove_processors_meta,
        put_first,
        structlog.processors.format_exc_info,
        mask_secrets,
        structlog.processors.JSONRenderer(serializer=_to_json) if config.format == "json" else text,
        *([_add_priority] if journal else []),
    ]


def mask_secrets(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Replace values under the name of a secret, credentials in URLs, pictures and bytes."""
    return {name: _masked(name, value) for name, value in event.items()}


def _masked(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(name) and value is not None:
        return MASK
    if isinstance(value, str):
        return mask_url(value)
    if isinstance(value, BaseException):
        return mask_url(f"{type(value).__name__}: {value}")
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if hasattr(value, "shape"):
        return f"<array {value.shape}>"
    if isinstance(value, Mapping):
        return {key: _masked(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked("", item) for item in value]
    return value


def _to_json(event: EventDict, **options: Any) -> str:
    return json.dumps(event, ensure_ascii=False, default=lambda value: mask_url(str(value)))


def _add_priority(logger: WrappedLogger, method: str, line: EventDict | str) -> str:
    """Each line of a traceback needs its own mark, or the journal files it under the default."""
    mark = f"<{_PRIORITIES.get(method, 6)}>"
    return "\n".join(mark + part for part in str(line).split("\n"))
