"""Ways in which the stub of a face cloud fails, from a moment on or now and then."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from cloud_faces import FaceCloudStub
from cloud_stub import TOKEN_PATH, Reply, answer, refusal
from passage_door import DEADLINE_S


def always(reply: Reply) -> Callable[[FaceCloudStub], None]:
    """Every call and every request for a token is answered like this."""

    def begin(cloud: FaceCloudStub) -> None:
        cloud.trouble = lambda asked: reply
        cloud.replies(reply, path=TOKEN_PATH)

    return begin


def never_answers(cloud: FaceCloudStub) -> None:
    always(lambda sock: cloud.released.wait(DEADLINE_S))(cloud)


def a_byte_a_second(cloud: FaceCloudStub) -> None:
    def drip(sock) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{")
        while not cloud.released.wait(1.0):
            sock.sendall(b" ")

    always(drip)(cloud)


def half_a_body(sock) -> None:
    sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"error_code":0,"result":{"user_l')


def token_revoked(cloud: FaceCloudStub) -> None:
    """Every second call finds the token revoked, and where tokens are given nobody answers."""
    turns = itertools.cycle([refusal(110), None])
    cloud.trouble = lambda asked: next(turns)
    cloud.replies(answer(503, ""), path=TOKEN_PATH)


def bursts(*wrong: Reply) -> Callable[[FaceCloudStub], None]:
    """So many wrong answers, then three right ones, and so on."""

    def begin(cloud: FaceCloudStub) -> None:
        turns = itertools.cycle([*wrong, None, None, None])
        cloud.trouble = lambda asked: next(turns)

    return begin
