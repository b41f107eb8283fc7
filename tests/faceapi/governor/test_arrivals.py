"""What arrives at the server when eight threads send as fast as the governor lets them."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from edged.clock import SystemClock
from edged.faceapi.calls import Call
from edged.faceapi.governor.allowance import AllowanceStore
from edged.faceapi.governor.rate_governor import Governor, GovernorLimits

WORKERS = 8
JITTER_S = 0.5
"""Slack of the governor: how late one request may arrive against another on a busy machine."""
ANSWER = b'{"error_code":0,"error_msg":"SUCCESS"}'


class Server(ThreadingHTTPServer):
    """Answers every POST with success and notes when it came."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.clock = SystemClock()
        self.arrivals = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        self.server.arrivals.append(self.server.clock.monotonic())
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *arguments):
        """Keep the test's output clean."""


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _work(governor, address, tickets):
    connection = http.client.HTTPConnection(*address, timeout=30)
    while tickets.acquire(blocking=False):
        governor.admit(Call.SEARCH, None)
        connection.request("POST", "/", body=b"{}")
        assert connection.getresponse().read() == ANSWER
        governor.succeeded(Call.SEARCH)
    connection.close()


@pytest.mark.slow  # nothing but real time shows what arrives
@pytest.mark.parametrize("governors", [1, 2], ids=["one process", "two processes"])
@pytest.mark.parametrize(("qps", "calls"), [(2, 5), (10, 21)])
def test_no_second_at_the_server_holds_more_than_the_configured_calls(
    tmp_path, server, qps, calls, governors
):
    """Two governors stand for two processes: they share nothing but the file."""
    clock = server.clock
    limits = GovernorLimits(qps=qps, management_qps=qps, daily_calls=10_000, slack_s=JITTER_S)
    governed = [
        Governor(limits, AllowanceStore.open(tmp_path, clock, service="test"), clock)
        for _ in range(governors)
    ]
    tickets = threading.Semaphore(calls)
    workers = [
        threading.Thread(target=_work, args=(governed[n % governors], server.server_address, tickets))
        for n in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)

    arrivals = sorted(server.arrivals)
    assert len(arrivals) == calls
    # qps + 1 arrivals in a row never lie within one second.
    shortest_s = min(later - earlier for earlier, later in zip(arrivals, arrivals[qps:], strict=False))
    print(f"{qps} a second: {qps + 1} arrivals span {shortest_s:.3f} s at least")
    assert shortest_s > 1.0

    used = governed[0].health()["calls"]["search"]
    assert used["today"] == calls
    for governor in governed:
        governor.close()
