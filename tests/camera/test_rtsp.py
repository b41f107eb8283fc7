"""An RTSP camera over TCP on a real socket: MPEG-TS in RTP (RFC 2250), interleaved in RTSP (RFC 2326)."""

from __future__ import annotations

import itertools
import re
import socketserver
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edged.bus import EventBus
from edged.camera.capture import CaptureLoop
from edged.camera.mailbox import Mailbox
from edged.camera.registry import open_source
from edged.clock import SystemClock
from edged.config import CameraConfig
from edged.events import CameraConnected, CameraLost

DEADLINE_S = 30
TS_PACKET = 188
SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=cam\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track1\r\n"


def transport_stream(path: Path) -> bytes:
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 25, (160, 120))
    assert writer.isOpened()
    rng = np.random.default_rng(0)
    for _ in range(250):
        writer.write(cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), (160, 120)))
    writer.release()
    return path.read_bytes()


class RtspCamera(socketserver.ThreadingTCPServer):
    """Sends its ten seconds of video at their own pace over and over; `frozen` stops the sending."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, stream: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.packets = [stream[i : i + 7 * TS_PACKET] for i in range(0, len(stream), 7 * TS_PACKET)]
        self.frozen = threading.Event()
        self.off = threading.Event()

    @property
    def url(self) -> str:
        return f"rtsp://admin:s3cret@127.0.0.1:{self.server_address[1]}/live"


class Session(socketserver.StreamRequestHandler):
    server: RtspCamera

    def handle(self) -> None:
        while request := self._request():
            method, number = request
            extra, body = "", ""
            if method == "OPTIONS":
                extra = "Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
            elif method == "DESCRIBE":
                body = SDP
                extra = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
            elif method == "SETUP":
                extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
            reply = f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\nSession: 1\r\n{extra}\r\n{body}"
            self.wfile.write(reply.encode())
            if method == "PLAY":
                self._play()
                return

    def _request(self) -> tuple[str, str] | None:
        lines = []
        while (line := self.rfile.readline().decode()).strip():
            lines.append(line)
        if not lines:
            return None
        return lines[0].split()[0], re.search(r"(?im)^cseq: *(\d+)", "".join(lines))[1]

    def _play(self) -> None:
        packets = self.server.packets
        pause_s = 10 / len(packets)
        for number, payload in enumerate(itertools.cycle(packets)):
            stamp = int(number * pause_s * 90_000) & 0xFFFFFFFF
            rtp = struct.pack(">BBHII", 0x80, 33, number & 0xFFFF, stamp, 7) + payload
            try:
                self.wfile.write(struct.pack(">cBH", b"$", 0, len(rtp)) + rtp)
            except OSError:
                return
            if self.server.off.wait(pause_s):
                return
            while self.server.frozen.is_set() and not self.server.off.wait(0.02):
                pass


@pytest.fixture
def camera(tmp_path) -> Iterator[RtspCamera]:
    with RtspCamera(transport_stream(tmp_path / "live.ts")) as camera:
        threading.Thread(target=camera.serve_forever, args=(0.05,), daemon=True).start()
        yield camera
        camera.off.set()
        camera.shutdown()


@pytest.mark.slow
def test_an_rtsp_camera_delivers_is_lost_when_frozen_and_found_again(camera) -> None:
    config = CameraConfig(source=camera.url, read_timeout_s=1.0, retry_min_s=0.1, retry_max_s=0.3)
    bus, mailbox = EventBus(SystemClock()), Mailbox()
    changed, events = threading.Condition(), []

    def note(event: CameraConnected | CameraLost) -> None:
        with changed:
            events.append(event)
            changed.notify_all()

    def wait_for(count: int) -> bool:
        with changed:
            return changed.wait_for(lambda: len(events) >= count, DEADLINE_S)

    bus.subscribe((CameraConnected, CameraLost), note, name="test")
    loop = CaptureLoop(config, lambda: open_source(config), mailbox, bus, bus.clock)
    loop.start()
    try:
        assert mailbox.take(DEADLINE_S).image.shape == (120, 160, 3)
        assert wait_for(1)
        camera.frozen.set()
        assert wait_for(2)
        # on a busy machine the last pictures may also come late
        assert events[1].code in ("camera_silent", "camera_slow")
        camera.frozen.clear()
        assert wait_for(3)
        assert isinstance(events[-1], CameraConnected)
    finally:
        assert loop.stop(DEADLINE_S)
        bus.close()
    assert "s3cret" not in str([e.to_dict() for e in events])
