"""Reads the parameters of one request and checks each against its documented type, range and alphabet.

Limits: docs/reference/face-api.md 4, 6. Numbers may come as text, unknown parameters are ignored,
null counts as missing. Wrong ones raise `ApiError` with the documented code.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from edged.server.replies import ApiError, missing, wrong

ALL_GROUPS: Final = "@ALL"
MAX_ID_LENGTH: Final = 128  # the longest in any document; the cloud's own pages say 48
MAX_GROUPS: Final = 10
MAX_USER_INFO_BYTES: Final = 256
MAX_BASE64: Final = 2 * 1024 * 1024
LEVELS: Final = ("NONE", "LOW", "NORMAL", "HIGH")
FACE_TYPES: Final = ("LIVE", "IDCARD", "WATERMARK", "CERT")

_ID = re.compile(rf"[A-Za-z0-9_]{{1,{MAX_ID_LENGTH}}}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")

FACE_FIELDS: Final = frozenset({
    "age", "beauty", "emotion", "expression", "eye_status", "face_shape", "face_type", "faceshape",
    "facetype", "feature", "gender", "glasses", "landmark", "landmark150", "landmark201", "landmark72",
    "mask", "quality", "race", "spoofing",
})  # fmt: skip


@dataclass(frozen=True)
class ImageParameter:
    """`image` with its `image_type`: bytes of a picture file, or the token of a known face."""

    data: bytes = b""
    face_token: str | None = None


class Parameters(Mapping[str, Any]):
    """One JSON object of a request, without its nulls."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = {name: value for name, value in body.items() if value is not None}

    def __getitem__(self, name: str) -> Any:
        return self._body[name]

    def __iter__(self) -> Any:
        return iter(self._body)

    def __len__(self) -> int:
        return len(self._body)

    def text(self, name: str) -> str:
        """A required, not empty text."""
        value = self.get(name)
        if value is None or value == "":
            raise missing(name)
        if not isinstance(value, str):
            raise wrong(name)
        return value

    def choice(self, name: str, allowed: Collection[str], default: str | None) -> str:
        """One of a few words; required when `default` is None. An empty text is the default."""
        value = self.get(name)
        if default is not None and (value is None or value == ""):
            return default
        if value is None:
            raise missing(name)
        if not isinstance(value, str) or value not in allowed:
            raise wrong(name)
        return value

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number, as a number or as text; raises above `high`, does not clip."""
        value = self.get(name, default)
        if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise wrong(name)
        return value

    def identifier(self, name: str, *, all_groups: bool = False) -> str:
        """A required group or user id; `@ALL` where that is allowed."""
        value = self.text(name)
        if all_groups and value == ALL_GROUPS:
            return value
        if not _ID.fullmatch(value):
            raise wrong(name)
        return value

    def group_ids(self) -> list[str]:
        """`group_id_list`: 1 to 10 ids separated by commas, each once, in the order given."""
        ids = [part.strip() for part in self.text("group_id_list").split(",")]
        if not all(_ID.fullmatch(one) for one in ids):
            raise wrong("group_id_list")
        if len(ids) > MAX_GROUPS:
            raise ApiError(223104)
        return list(dict.fromkeys(ids))

    def user_info(self) -> str | None:
        """`user_info`; None: not given."""
        value = self.get("user_info")
        if value is None:
            return None
        if not isinstance(value, str) or not _fits(value):
            raise wrong("user_info")
        return value

    def face_token(self) -> str:
        """A required face token."""
        value = self.text("face_token")
        if not _TOKEN.fullmatch(value):
            raise wrong("face_token")
        return value

    def face_fields(self) -> frozenset[str]:
        """The words of `face_field`."""
        value = self.get("face_field", "")
        if not isinstance(value, str):
            raise wrong("face_field")
        fields = frozenset(part.strip() for part in value.split(",")) - {""}
        if not fields <= FACE_FIELDS:
            raise wrong("face_field")
        return fields

    def level(self, name: str) -> str:
        """A control level. Raises for spoofing control, which edged cannot judge."""
        value = self.choice(name, LEVELS, "NONE")
        if name == "spoofing_control" and value != "NONE":
            raise wrong(name)
        return value

    def image(self, *, tokens: bool = True) -> ImageParameter:
        """`image` and `image_type`.

        Args:
            tokens: FACE_TOKEN is allowed.
        """
        image = self.text("image")
        kind = self.choice("image_type", ("BASE64", "FACE_TOKEN", "URL"), None)
        if kind == "URL":
            raise ApiError(222204)  # fetching an address from a client would open a way into the network
        if kind == "FACE_TOKEN":
            if not tokens:
                raise wrong("image_type")
            if not _TOKEN.fullmatch(image):
                raise wrong("face_token")
            return ImageParameter(face_token=image)
        return ImageParameter(data=picture_bytes(image))


def picture_bytes(text: str) -> bytes:
    """The file in a Base64 text; line breaks are allowed, a `data:` prefix is not."""
    if len(text) > MAX_BASE64:
        raise ApiError(222304)
    try:
        return b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise wrong("image") from error


def _fits(user_info: str) -> bool:
    try:
        return len(user_info.encode()) <= MAX_USER_INFO_BYTES
    except UnicodeEncodeError:  # half a surrogate pair: "\ud800"
        return False
