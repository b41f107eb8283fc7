"""What slow, broken and hostile clients do to `edged serve`: they get an answer or lose the connection."""

import gzip
import json
import socket
import sqlite3
import threading
import zlib
from base64 import b64encode
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
import requests
from serving import DEADLINE_S, serving

from edged.demo.photographs import scene_photographs
from edged.errors import NeedsOperator

LIMITS = {"header_timeout_s": 0.5, "body_timeout_s": 0.5, "connections": 40, "stop_s": 1.0, "workers": 1}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("serve"), limits=LIMITS) as running:
        yield running


@pytest.fixture
def connect(server):
    opened = []

    def connection(data=b""):
        parts = urlsplit(server.url)
        opened.append(socket.create_connection((parts.hostname, parts.port), timeout=DEADLINE_S))
        opened[-1].sendall(data)
        return opened[-1]

    yield connection
    for one in opened:
        one.close()


def until_closed(connection):
    """Everything the server says before it hangs up; a deadline guards the test, nothing is measured."""
    received = b""
    try:
        while chunk := connection.recv(4096):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def request(server, path="v3/faceset/group/getlist", **headers):
    lines = [f"POST /rest/2.0/face/{path}?access_token={server.token()} HTTP/1.1", "Host: x"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def works(server):
    answer = server.call("v3/faceset/group/getlist", {})
    assert answer["error_code"] == 0, answer


def raw(server, body, path="v3/faceset/group/getlist", **options):
    address = f"{server.url}/rest/2.0/face/{path}"
    return requests.post(
        address, params={"access_token": server.token()}, data=body, timeout=DEADLINE_S, **options
    )


def test_silent_connections_are_closed_and_nobody_else_waits(server, connect):
    silent = [connect() for _ in range(10)]
    half = [connect(b"POST /rest/2.0/face/v3/search HTTP/1.1\r\nHost:") for _ in range(10)]
    works(server)
    for connection in silent + half:
        until_closed(connection)
    works(server)


def test_a_head_that_comes_byte_by_byte_is_cut_off(server, connect):
    connection = connect(b"POST / HTTP/1.1\r\n")
    stop = threading.Event()

    def drip():
        while not stop.wait(0.05):
            try:
                connection.sendall(b"x")
            except OSError:
                return

    dripping = threading.Thread(target=drip, daemon=True)
    dripping.start()
    until_closed(connection)
    stop.set()
    dripping.join(DEADLINE_S)


def test_a_body_that_does_not_come_is_given_up(server, connect):
    connection = connect(request(server, Content_Length=1000) + b'{"image":')
    works(server)
    answer = until_closed(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"222200" in answer


def test_half_a_request_and_a_client_that_goes_leave_nothing_behind(server, connect):
    for _ in range(20):  # one application may have 16 requests at once
        connect(request(server, Content_Length=1000) + b'{"image":').close()
    for _ in range(1000):
        answer = server.call("v3/faceset/group/getlist", {})
        if answer["error_code"] == 0:
            break
        assert answer["error_code"] == 222915  # not noticed yet that they are gone
    works(server)


def test_no_http_at_all_is_refused(server, connect):
    for nonsense in (b"\x16\x03\x01\x02\x00\x01\x00", b"hello\r\n\r\n", b"GET /\r\n\r\n", b"\x00" * 100_000):
        until_closed(connect(nonsense))
    works(server)


def test_a_huge_head_is_refused(server, connect):
    connection = connect(b"POST / HTTP/1.1\r\nX: " + b"a" * 200_000)
    assert until_closed(connection)[:12] in (b"HTTP/1.1 400", b"")
    works(server)


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_refused(server, announced):
    body = b" " * 11_000_000
    answer = raw(
        server, body if announced else (body[at : at + 500_000] for at in range(0, len(body), 500_000))
    )
    assert (answer.status_code, answer.json()["error_code"]) == (413, 222304)
    works(server)


def test_who_sends_all_of_a_refused_request_before_reading_gets_its_answer(server):
    """urllib and http.client look for an answer only then; a connection that is reset before has none."""
    for token, status, code in ((server.token(), 413, 222304), ("nobody", 200, 110)):
        connection = HTTPConnection(urlsplit(server.url).netloc, timeout=DEADLINE_S)
        with closing(connection):
            path = f"/rest/2.0/face/v3/detect?access_token={token}"
            connection.request("POST", path, b" " * 12_000_000, {"Connection": "close"})
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["error_code"]) == (status, code)


def test_a_body_without_end_is_hung_up_on(server, connect):
    def pour(connection):
        while True:
            connection.sendall(b" " * 500_000)

    with pytest.raises(ConnectionError):
        pour(connect(request(server, Content_Length=10**12)))
    works(server)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe\x00",
        b"[" * 1_000_000,
        b'{"a":' * 1500,
        b"[" + b"1," * 3_000_000 + b"1]",
        b'{"start": NaN}',
        b'{"start": Infinity}',
        b'{"start": ' + b"9" * 1_000_000 + b"}",
        b"image=x&image_type=BASE64",
    ],
    ids=lambda body: f"{len(body)}:{body[:12]!r}",
)
def test_what_is_no_json_object_is_told_so(server, body):
    answer = raw(server, body)
    assert (answer.status_code, answer.json()["error_code"]) == (200, 222200)


@pytest.mark.parametrize("start", [1e300, -1, 10**30, True, [], {}, "x", "1e3", 1.5])
def test_a_number_that_is_none_is_told_so(server, start):
    assert server.call("v3/faceset/group/getlist", {"start": start})["error_code"] == 222002


def test_half_a_surrogate_and_control_characters_are_refused(server):
    body = b'{"image":"AAAA","image_type":"BASE64","group_id":"g","user_id":"u","user_info":"\\ud800"}'
    assert raw(server, body, "v3/faceset/user/add").json()["error_code"] == 222010
    assert server.call("v3/faceset/group/add", {"group_id": "a\x00b"})["error_code"] == 222006
    assert (
        server.call("v3/faceset/group/add", {"group_id": "a'; DROP TABLE faces; --"})["error_code"] == 222006
    )
    assert server.call("v3/faceset/group/add", {"group_id": "../../etc"})["error_code"] == 222006


def bomb():
    """A PNG of 40,000 x 40,000 pixels in a few kilobytes."""

    def chunk(kind, data):
        check = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + check

    side = (40_000).to_bytes(4, "big")
    head = chunk(b"IHDR", side + side + b"\x08\x02\x00\x00\x00")
    return (
        b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\x00" * 3_000_000)) + chunk(b"IEND", b"")
    )


def lying_jpeg():
    """The header says 65535x65535."""
    whole = bytearray(
        cv2.imencode(".jpg", np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8))[1]
    )
    at = whole.find(b"\xff\xc0")
    whole[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    return bytes(whole)


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (bomb(), 222304),
        (lying_jpeg(), 222304),
        (gzip.compress(b"x" * 1000), 222203),
        (b"\xff\xd8\xff", 222203),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 5000, 222203),
        (b"BM" + b"\xff" * 100, 222203),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 " + b"\x00" * 50, 222203),
    ],
    ids=["png-bomb", "jpeg-too-large", "gzip", "jpeg-start", "png-garbage", "bmp-garbage", "webp"],
)
def test_a_picture_that_is_a_trap_is_refused_without_being_unpacked(server, picture, code):
    body = {"image": b64encode(picture).decode(), "image_type": "BASE64"}
    assert server.call("v3/detect", body)["error_code"] == code
    works(server)


def test_a_base64_text_over_two_megabytes_is_refused(server):
    body = {"image": "A" * (2 * 1024 * 1024 + 4), "image_type": "BASE64"}
    assert server.call("v3/detect", body)["error_code"] == 222304


def test_an_address_is_never_fetched(server):
    body = {"image": "http://127.0.0.1/x.jpg", "image_type": "URL"}
    assert server.call("v3/detect", body)["error_code"] == 222204


def test_a_flood_is_answered_busy_and_everybody_gets_an_answer(tmp_path):
    photo = b64encode(scene_photographs()["Rishi Sunak"].path.read_bytes()).decode()
    limits = {"workers": 1, "waiting": 2}
    apps = [{"id": "flood", "concurrency": 6}, {"id": "calm"}]
    with serving(tmp_path, limits=limits, apps=apps) as server:
        server.token("flood")
        codes = []

        def flood():
            for _ in range(3):
                answer = server.call("v3/detect", {"image": photo, "image_type": "BASE64"}, "flood")
                codes.append(answer["error_code"])

        threads = [threading.Thread(target=flood, daemon=True) for _ in range(12)]
        for thread in threads:
            thread.start()
        assert server.call("v3/faceset/group/getlist", {}, "calm")["error_code"] == 0
        for thread in threads:
            thread.join(DEADLINE_S)
    assert len(codes) == 36
    assert set(codes) == {0, 222915}


def test_more_connections_than_allowed_are_turned_away_and_places_come_free(server, connect):
    crowd = [connect() for _ in range(60)]
    for connection in crowd:
        until_closed(connection)
    works(server)


def test_stopping_does_not_wait_for_a_client_that_does_not_finish(tmp_path):
    with serving(tmp_path, limits={"stop_s": 0.5}) as server:
        parts = urlsplit(server.url)
        hanging = socket.create_connection((parts.hostname, parts.port), timeout=DEADLINE_S)
        hanging.sendall(request(server, Content_Length=1000) + b"{")
        works(server)
    hanging.close()  # `serving` has seen the thread end


def test_no_secret_and_no_picture_is_logged(tmp_path, capfd):
    photo = b64encode(scene_photographs()["Rishi Sunak"].path.read_bytes()).decode()
    with serving(tmp_path) as server:
        server.call("v3/detect", {"image": photo, "image_type": "BASE64"})
        server.call("v3/detect", {"image": "bad", "image_type": "BASE64", "user_info": "Alice"})
        keys, token = server.keys["default"], server.token()
    out, err = capfd.readouterr()
    for secret in (keys.api_key, keys.secret_key, token, photo[:60], "Alice"):
        assert secret not in out + err
    assert "answered" in out + err
    assert json.dumps(repr(keys)) == '"Keys()"'


def test_a_library_that_breaks_is_told_and_the_others_go_on(tmp_path, capfd):
    apps = [{"id": "broken", "private": True}, {"id": "whole", "private": True}]
    with serving(tmp_path, apps=apps) as server:
        assert server.private("group/add", {"group_id": "g"}, "broken")["error_code"] == 0
        with closing(sqlite3.connect(tmp_path / "broken.db")) as other:
            other.execute("DROP TABLE users")
        answer = server.private("user/list", {"group_id": "g"}, "broken")
        assert (answer["error_code"], answer["result"]) == (222302, None)
        assert server.private("group/add", {"group_id": "g"}, "whole")["error_code"] == 0
    assert "no such table" in "".join(capfd.readouterr())


def test_a_library_that_is_no_library_keeps_the_server_from_starting(tmp_path):
    (tmp_path / "default.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(NeedsOperator) as caught, serving(tmp_path):
        pass
    assert caught.value.code == "database_corrupt"
    assert (tmp_path / "default.db").read_bytes().startswith(b"this is")
