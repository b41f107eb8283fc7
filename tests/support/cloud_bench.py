"""A face cloud client against the stub service, and a picture to send."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from cloud_stub import CloudStub

from edged.clock import Clock, SystemClock
from edged.config.recognition_section import CloudConfig
from edged.faceapi.client.caller import build_caller
from edged.faceapi.client.face_cloud import FaceCloud
from edged.faceapi.governor.admission import Admission, Unlimited

API_KEY = "AK-4f8a1c0d-visible-never"
SECRET_KEY = "SK-9b27e6aa-visible-never"
KEYS = {"EDGED_CLOUD_API_KEY": API_KEY, "EDGED_CLOUD_SECRET_KEY": SECRET_KEY}


def picture(width: int = 200, height: int = 240, suffix: str = ".jpg") -> bytes:
    """An encoded picture, even grey."""
    done, data = cv2.imencode(suffix, np.full((height, width, 3), 128, np.uint8))
    assert done
    return data.tobytes()


def cloud_at(
    stub: CloudStub,
    *,
    clock: Clock | None = None,
    governor: Admission | None = None,
    data_dir: Path | None = None,
    environ: Mapping[str, str] = KEYS,
    **config: Any,
) -> FaceCloud:
    """A client of the stub. Time-outs are generous: the tests that are about them set their own."""
    settings = {"url": stub.url, "connect_timeout_s": 8.0, "read_timeout_s": 8.0} | config
    return FaceCloud(
        build_caller(
            CloudConfig(**settings),
            clock or SystemClock(),
            governor=governor or Unlimited(),
            data_dir=data_dir,
            environ=environ,
        )
    )
