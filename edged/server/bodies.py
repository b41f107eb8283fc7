"""Reads the body of a request with limits on size, time and the objects in its JSON."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request

from edged.server.replies import ApiError

MAX_VALUES: Final = 2000
"""A documented request has some dozen values. Ten megabytes of `[[[[` or `1,1,1` would fill gigabytes; Base64
has neither brackets nor commas, so counting these bytes is enough."""


async def read_body(request: Request, most_bytes: int, timeout_s: float) -> bytes:
    """The whole body.

    Raises:
        ApiError: 222304 with HTTP 413, it is larger than `most_bytes`; 222200 with HTTP 408, it did not
            arrive in time.
        ClientDisconnect: the client has gone.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:18]) > most_bytes:
        raise ApiError(222304, status=413)
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most_bytes:
                    raise ApiError(222304, status=413)
    except TimeoutError:
        raise ApiError(222200, status=408) from None
    return bytes(body)


async def discard_body(request: Request, most_bytes: int, timeout_s: float) -> None:
    """Read and drop the rest of the body, so that the answer arrives: closing the connection while the client
    still sends would reset it, and the answer with it. Beyond the limits the server closes it all the
    same."""
    seen = 0
    with suppress(TimeoutError, ClientDisconnect, RuntimeError):  # RuntimeError: there is no more
        async with asyncio.timeout(timeout_s):
            async for chunk in request.stream():
                seen += len(chunk)
                if seen > most_bytes:
                    return


def require_json(request: Request) -> None:
    """Raise ApiError 222200 for another Content-Type; the vendor's client sends none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("", "application/json"):
        raise ApiError(222200)


def parse_body(body: bytes, *, array: bool) -> Any:
    """The JSON object, or the list of objects, in `body`. Raises ApiError 222200 for anything else."""
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise ApiError(222200)
    try:
        parsed = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a ValueError, too
        raise ApiError(222200) from error
    if array:
        fits = isinstance(parsed, list) and all(isinstance(one, dict) for one in parsed)
    else:
        fits = isinstance(parsed, dict)
    if not fits:
        raise ApiError(222200)
    return parsed


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
