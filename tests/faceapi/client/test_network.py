"""The way to the face cloud when it is broken, on real sockets: every fault is stated, nothing hangs."""

import socket
import threading
from contextlib import ExitStack

import pytest
from cloud_bench import cloud_at
from cloud_calls import FOUND, JPEG, code_of, failure, free_port, with_token
from cloud_stub import TOKEN_PATH, answer, ok, refusal

from edged.clock import SystemClock
from edged.errors import Misconfigured, RetryLater
from edged.faceapi.client.deadline import Budget, BudgetSocket, CurrentBudget, Resolver, connect
from edged.faceapi.client.transport import MOST_ANSWER_BYTES
from edged.faceapi.inconclusive import FAIR_S, Hurried


def test_a_refused_connection_is_unreachable(stub):
    error = failure(cloud_at(stub, url=f"http://127.0.0.1:{free_port()}"))
    assert (type(error), error.code) == (RetryLater, "cloud_unreachable")


@pytest.fixture
def black_hole():
    """An address where connections get no answer, not even a refusal."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # nobody accepts them: the queue is full from then on
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        yield server.getsockname()


def test_a_black_hole_ends_the_connecting_at_its_time_out(stub, black_hole):
    cloud = cloud_at(stub, url=f"http://127.0.0.1:{black_hole[1]}", connect_timeout_s=0.2)
    assert code_of(cloud) == "cloud_timeout"


def test_a_dead_address_of_a_name_leaves_time_for_the_next_one(stub, black_hole):
    alive = ("127.0.0.1", stub.port)
    names = Resolver(lambda host, port: [(socket.AF_INET, black_hole), (socket.AF_INET, alive)])
    budget = Budget(SystemClock(), connect_s=0.4, answer_s=1, deadline_s=None)
    with connect("cloud", stub.port, budget, names, []) as sock:
        assert sock.getpeername() == alive


def test_a_slow_name_server_is_waited_for_no_longer_than_asked_and_by_one_thread_only():
    may_answer = threading.Event()

    def slowly(host, port):
        assert may_answer.wait(30)
        return [(socket.AF_INET, ("127.0.0.1", port))]

    resolver = Resolver(slowly)
    for _ in range(3):
        with pytest.raises(RetryLater) as caught:
            resolver.addresses("localhost", 80, 0.02)
        assert caught.value.code == "cloud_dns"
    assert [thread.name for thread in threading.enumerate()].count("cloud-dns") == 1
    may_answer.set()
    assert resolver.addresses("localhost", 80, 10)


def test_an_ipv6_address_is_an_address():
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    budget = Budget(SystemClock(), connect_s=5, answer_s=1, deadline_s=None)
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with server, connect("::1", server.getsockname()[1], budget, Resolver(), []) as sock:
        assert sock.family == socket.AF_INET6


def test_a_server_that_never_answers_ends_at_the_read_time_out(stub):
    cloud = with_token(stub, read_timeout_s=0.2)
    stub.replies(lambda sock: stub.released.wait(30))
    assert code_of(cloud) == "cloud_timeout"


def test_the_deadline_of_a_request_cuts_every_time_out_short(stub):
    cloud = with_token(stub, read_timeout_s=600)
    stub.replies(lambda sock: stub.released.wait(30))
    assert code_of(cloud, wait_s=0.2) == "cloud_timeout"


@pytest.mark.parametrize(
    ("wait_s", "kind"), [(0.05, Hurried), (FAIR_S + 0.1, RetryLater)], ids=["hurried", "fair"]
)
def test_only_a_service_that_had_a_fair_time_is_blamed_for_a_missed_deadline(stub, wait_s, kind):
    cloud = with_token(stub)
    stub.replies(lambda sock: stub.released.wait(30))
    assert type(failure(cloud, wait_s=wait_s)) is kind


def test_a_service_that_misses_its_own_time_out_is_blamed_however_short_that_is(stub):
    cloud = with_token(stub, read_timeout_s=0.1)
    stub.replies(lambda sock: stub.released.wait(30))
    assert type(failure(cloud, wait_s=10)) is RetryLater


def test_after_its_deadline_a_request_is_not_sent(stub):
    cloud = with_token(stub)
    assert code_of(cloud, wait_s=-1) == "cloud_timeout"
    assert len(stub.calls) == 1


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["body", "header", "chunks", "chunk-size", "until-close", "continue"],
)
@pytest.mark.parametrize("limit", ["read time-out", "deadline"])
def test_a_server_that_drips_does_not_hold_the_worker(stub, start, drop, limit):
    cloud = with_token(stub, read_timeout_s=0.3 if limit == "read time-out" else 600)

    def drip(sock):
        sock.sendall(start)
        while not stub.released.wait(0.01):
            sock.sendall(drop)

    stub.replies(drip)
    assert code_of(cloud, wait_s=None if limit == "read time-out" else 0.3) == "cloud_timeout"


def test_a_server_that_does_not_read_does_not_hold_the_worker(stub):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        cloud = cloud_at(stub, url=url, dialect="private", read_timeout_s=0.3)
        large = JPEG + bytes(1_500_000 - len(JPEG))
        with pytest.raises(RetryLater) as caught:
            cloud.faceverify([large] * 3)
        assert caught.value.code == "cloud_timeout"
        cloud.close()


def test_a_large_request_may_take_longer_than_connecting(stub):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        cloud = cloud_at(stub, url=url, dialect="private", connect_timeout_s=0.3)

        def read_late():
            sock, _ = server.accept()
            with sock, sock.makefile("rb") as stream:
                stub.released.wait(0.6)
                head = iter(lambda: stream.readline().strip().lower(), b"")
                lengths = [int(line.split()[1]) for line in head if line.startswith(b"content-length")]
                stream.read(lengths[0])
                sock.sendall(ok({"face_liveness": 1}))

        reader = threading.Thread(target=read_late)
        reader.start()
        large = JPEG + bytes(1_500_000 - len(JPEG))
        assert cloud.faceverify([large] * 3).liveness == 1
        reader.join(30)
        cloud.close()


def test_every_answer_is_acknowledged_at_once():
    """Or a server that sends head and body apart waits 40 ms for that with each call."""
    ask = (socket.IPPROTO_TCP, socket.TCP_QUICKACK)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as sock,
    ):
        sock.setsockopt(*ask, 0)
        BudgetSocket(sock, CurrentBudget()).makefile("rb").close()
        assert sock.getsockopt(*ask) == 1


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + FOUND[-60:],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x00\x01\x02",
    ],
    ids=["length", "chunk", "chunk-size", "header", "other-protocol", "garbage"],
)
def test_an_answer_that_breaks_off_is_a_bad_answer(stub, reply):
    cloud = with_token(stub)
    stub.replies(lambda sock: sock.sendall(reply))
    assert code_of(cloud) == "cloud_bad_answer"


def test_a_broken_off_body_that_is_json_by_chance_is_no_answer(stub):
    cloud = with_token(stub)
    body = b'{"error_code":0,"result":{"user_list":[]}}'
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + 50)
    stub.replies(lambda sock: sock.sendall(head + body))
    assert code_of(cloud) == "cloud_bad_answer"


def test_a_connection_closed_without_a_word_is_unreachable(stub):
    cloud = with_token(stub)
    stub.replies(lambda sock: None)
    assert code_of(cloud) == "cloud_unreachable"


def test_a_kept_connection_that_was_closed_is_opened_again(stub):
    cloud = with_token(stub)
    stub.replies(lambda sock: None, FOUND)  # as if the call had crossed the closing on its way
    cloud.search(JPEG, ["g"])
    assert stub.connections == 2
    cloud.close()


def test_a_new_connection_that_is_closed_is_not_tried_again(stub):
    stub.replies(lambda sock: None)
    cloud = cloud_at(stub, dialect="private")
    assert code_of(cloud) == "cloud_unreachable"
    assert len(stub.calls) == 1


def test_a_server_that_restarts_is_found_again(stub):
    cloud = with_token(stub)
    stub.drop_connections()
    cloud.search(JPEG, ["g"])
    cloud.close()


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_web_page_of_a_gateway_is_told_by_its_status(stub, status):
    cloud = with_token(stub)
    stub.replies(answer(status, "<html>Bad Gateway</html>", "Content-Type: text/html"))
    error = failure(cloud)
    assert (type(error), error.code) == (RetryLater, f"cloud_http_{status}")


def test_a_web_page_with_status_200_is_no_answer(stub):
    cloud = with_token(stub)
    stub.replies(answer(200, "<!DOCTYPE html><p>Please sign in"))
    assert code_of(cloud) == "cloud_bad_answer"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirection_is_never_followed(stub, status):
    cloud = with_token(stub)
    stub.replies(answer(status, "", f"Location: {stub.url}/elsewhere"), FOUND)
    assert code_of(cloud) == f"cloud_http_{status}"
    assert "/elsewhere" not in [asked.path for asked in stub.asked]


def test_an_endless_answer_is_read_to_a_limit(stub):
    cloud = with_token(stub)
    sent = []

    def flood(sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while len(sent) < 10 * MOST_ANSWER_BYTES // 65536:
            sock.sendall(bytes(65536))
            sent.append(1)

    stub.replies(flood)
    assert code_of(cloud) == "cloud_bad_answer"


def test_the_body_of_a_redirection_is_read_to_a_limit_too(stub):
    cloud = with_token(stub)

    def flood(sock):
        sock.sendall(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n")
        for _ in range(10 * MOST_ANSWER_BYTES // 65536):
            sock.sendall(bytes(65536))

    stub.replies(flood)
    assert code_of(cloud) == "cloud_bad_answer"


def test_a_packed_answer_is_not_unpacked(stub):
    cloud = with_token(stub)
    stub.replies(answer(200, b"\x1f\x8b", "Content-Encoding: gzip"))
    assert code_of(cloud) == "cloud_bad_answer"
    assert stub.calls[-1].headers["accept-encoding"] == "identity"


def test_cookies_are_not_kept(stub):
    cloud = with_token(stub)
    stub.replies(answer(200, '{"error_code":0,"result":{}}', "Set-Cookie: a=b"))
    for _ in range(2):
        cloud.search(JPEG, ["g"])
    assert "cookie" not in stub.calls[-1].headers
    cloud.close()


def test_proxies_and_passwords_of_the_environment_are_not_used(stub, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password something")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    cloud = with_token(stub)
    assert "authorization" not in stub.calls[0].headers
    cloud.close()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 70 + ".invalid"])
def test_a_name_without_an_address_is_told_within_the_deadline(stub, host):
    error = failure(cloud_at(stub, url=f"http://{host}"), wait_s=2)
    assert (type(error), error.code) == (RetryLater, "cloud_dns")


def test_a_missing_certificate_file_is_told_at_the_start(stub, tmp_path):
    with pytest.raises(Misconfigured) as caught:
        cloud_at(stub, ca_file=tmp_path / "none.pem")
    assert caught.value.code == "cloud_ca_file"


def test_many_calls_that_fail_leave_no_threads_behind(stub):
    before = threading.active_count()
    cloud = with_token(stub, read_timeout_s=0.05)
    stub.replies(lambda sock: stub.released.wait(0.1))
    for _ in range(5):
        with pytest.raises(RetryLater):
            cloud.search(JPEG, ["g"])
    cloud.close()
    ours = [thread.name for thread in threading.enumerate() if thread.name.startswith("cloud-")]
    assert ours == []
    assert threading.active_count() <= before + 1 + stub.connections  # the stub's own


def test_a_token_revoked_in_flight_costs_one_more_call(stub):
    cloud = with_token(stub)
    stub.replies(answer(200, '{"access_token":"two","expires_in":99}'), path=TOKEN_PATH)
    stub.replies(refusal(111, "Access token expired"), FOUND)
    cloud.search(JPEG, ["g"])
    assert [asked.query["access_token"] for asked in stub.calls[1:]] == ["24.token-1", "two"]
    cloud.close()


def test_the_deadline_counts_while_a_token_is_fetched(stub):
    stub.replies(lambda sock: stub.released.wait(30), path=TOKEN_PATH)
    cloud = cloud_at(stub, clock=SystemClock(), read_timeout_s=600)
    assert code_of(cloud, wait_s=0.2) == "cloud_timeout"
    assert stub.calls == []
