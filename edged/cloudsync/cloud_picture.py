"""Prepares an enrolment photograph for the cloud. Does not decide whether it may be sent."""

from __future__ import annotations

from typing import Final

import cv2

from edged.errors import TryAnotherShot
from edged.pictures import decode_picture, fit_within

MOST_BYTES: Final = 1_500_000  # docs/reference/face-api.md 6.1: at most 2 MB as Base64
_QUALITIES: Final = (92, 80, 60)


def cloud_picture(photo: bytes, *, name: str = "the picture") -> bytes:
    """A photograph as JPEG within the limits of the cloud: 1920 x 1080 pixels, 1.5 MB.

    Always encodes anew: metadata of a camera or telephone (place, time, owner) stays on the box. The same
    file gives the same bytes, and so the same face_token.

    Raises:
        TryAnotherShot: it cannot be read (see `decode_picture`), or made small enough (`picture_too_large`).
    """
    image = fit_within(decode_picture(photo, name=name))
    for quality in _QUALITIES:
        encoded, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if encoded and data.size <= MOST_BYTES:
            return data.tobytes()
    raise TryAnotherShot(
        f"{name} cannot be made small enough for the cloud.",
        code="picture_too_large",
        hint="Crop the photograph to the person and enrol it again.",
    )
