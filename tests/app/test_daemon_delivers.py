"""The whole daemon with attendance and a delivery target: decisions and punches arrive at a real receiver."""

import json
import shutil
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from edged.app.daemon import Daemon
from edged.clock import SystemClock
from edged.config import Config
from edged.ops.control import ask

DEADLINE_S = 90.0


@pytest.fixture
def receiver():
    """Keeps every record by its id and acknowledges by echoing it."""
    kept, changed = {}, threading.Condition()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with changed:
                kept[body["recordId"]] = body
                changed.notify_all()
            answer = json.dumps({"logId": body.get("logId", body["recordId"]), "errorCode": 0}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.kept, server.changed = kept, changed
    yield server
    server.shutdown()
    server.server_close()


def test_decisions_and_punches_arrive_once_and_the_daemon_can_be_asked(
    receiver, tmp_path, household, portrait
):
    config = Config.model_validate(
        {
            "data_dir": tmp_path / "data",
            "camera": {"source": str(portrait), "fps": 4.0},
            "vision": {"liveness": {"mode": "off"}},  # a photograph is none
            "access": {"cool_down_s": 0.0},
            "attendance": {"enabled": True, "direction": "device", "device_direction": "in"},
            "delivery": {
                "targets": [
                    {
                        "name": "office",
                        "kind": "http",
                        "url": f"http://127.0.0.1:{receiver.server_port}/records",
                        "events": ["decisions", "punches"],
                    }
                ]
            },
        }
    )
    clock = SystemClock()
    shutil.copytree(household, config.data_dir)
    daemon = Daemon(config, clock, speed=2.0, loop=True)
    daemon.start()
    try:
        assert ask(config.data_dir, "attendance.key", direction="out")["direction"] == "out"
        assert ask(config.data_dir, "delivery.status")["targets"][0]["target"] == "office"
        assert ask(config.data_dir, "door.status")
        until_s = time.monotonic() + DEADLINE_S
        with receiver.changed:
            receiver.changed.wait_for(
                lambda: sum(body["kind"] == "punch" for body in receiver.kept.values()) >= 2,
                until_s - time.monotonic(),
            )
    finally:
        daemon.stop()
    kinds = [body["kind"] for body in receiver.kept.values()]
    assert kinds.count("punch") >= 2
    assert kinds.count("decision") >= kinds.count("punch")
