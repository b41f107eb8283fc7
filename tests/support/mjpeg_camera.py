"""A network camera (HTTP MJPEG on a real socket) that misbehaves on demand, and its capture loop."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable

import cv2
import numpy as np

from edged.bus import EventBus
from edged.camera.capture import CaptureLoop
from edged.camera.mailbox import Mailbox
from edged.camera.registry import open_source
from edged.clock import SystemClock
from edged.config import CameraConfig
from edged.events import CameraConnected, CameraLost, Event
from edged.frame import Frame

DEADLINE_S = 30
BOUNDARY = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n"


def jpeg(width: int = 160, height: int = 120) -> bytes:
    blotches = np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8)
    return cv2.imencode(".jpg", cv2.resize(blotches, (width, height)))[1].tobytes()


class MjpegCamera:
    """A network camera whose misbehaviour is chosen by `mode`; it can be switched off and on again.

    Modes: `ok`, `stall` (connection open, nothing more comes), `eof` (connection closed), `truncated` (half a
    JPEG), `resized`, `slow` (a picture every 0.7 s), `mute` (accepts and says nothing), `locked` (401).
    """

    def __init__(self) -> None:
        self.mode = "ok"
        self.off = threading.Event()
        self._server: http.server.ThreadingHTTPServer | None = None
        self.switch_on(port=0)

    @property
    def url(self) -> str:
        return f"http://admin:s3cret@127.0.0.1:{self.port}/video.mjpg"

    def switch_on(self, port: int | None = None) -> None:
        camera = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                camera.serve(self)

        self.off = threading.Event()
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", self.port if port is None else port), Handler
        )
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def switch_off(self) -> None:
        self.off.set()
        self._server.shutdown()
        self._server.server_close()

    def serve(self, request: http.server.BaseHTTPRequestHandler) -> None:
        off = self.off
        if self.mode == "mute":
            off.wait(DEADLINE_S)
            return
        if self.mode == "locked":
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="camera"')
            request.end_headers()
            return
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        whole, large = jpeg(), jpeg(320, 240)
        while not off.is_set() and self.mode != "eof":
            mode = self.mode
            if mode != "stall":
                body = {"truncated": whole[: len(whole) // 2], "resized": large}.get(mode, whole)
                try:
                    request.wfile.write(BOUNDARY % (len(body), body))
                except OSError:
                    return
            off.wait(0.7 if mode == "slow" else 0.03)


class Bench:
    """A capture loop on one camera, and what it published."""

    def __init__(self, source: str, open_timeout_s: float = 1.0, read_timeout_s: float = 1.0) -> None:
        config = CameraConfig(
            source=source,
            open_timeout_s=open_timeout_s,
            read_timeout_s=read_timeout_s,
            retry_min_s=0.1,
            retry_max_s=0.3,
        )
        clock = SystemClock()
        self.bus = EventBus(clock)
        self.events: list[Event] = []
        self.changed = threading.Condition()
        self.bus.subscribe((CameraConnected, CameraLost), self._note, name="test")
        self.mailbox = Mailbox()
        self.loop = CaptureLoop(config, lambda: open_source(config), self.mailbox, self.bus, clock)

    def _note(self, event: Event) -> None:
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    def connected(self, times: int = 1) -> bool:
        return self._wait(lambda: sum(isinstance(e, CameraConnected) for e in self.events) >= times)

    def lost(self) -> CameraLost:
        assert self._wait(lambda: any(isinstance(e, CameraLost) for e in self.events))
        return next(e for e in self.events if isinstance(e, CameraLost))

    def frame(self) -> Frame:
        frame = self.mailbox.take(DEADLINE_S)
        assert frame is not None
        return frame

    def _wait(self, rule: Callable[[], bool]) -> bool:
        with self.changed:
            return self.changed.wait_for(rule, DEADLINE_S)
