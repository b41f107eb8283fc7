"""Building blocks of the schema: kinds of values, sections, errors about several keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

ID_PATTERN = r"^[A-Za-z0-9_-]{1,48}$"
Identifier = Annotated[str, Field(pattern=ID_PATTERN)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Timeout = Annotated[float, Field(gt=0, le=600)]
Degrees = Annotated[float, Field(gt=0, le=90)]
Unit = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(ge=0, le=100)]


def _no_control_characters(text: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError("contains a control character (tab, newline …), which no text here may")
    return text


def conflict(message: str, *keys: str) -> PydanticCustomError:
    """An error about several keys of one section together.

    Args:
        message: what does not fit, with the values.
        keys: the keys concerned, dotted from the section on; first the one to change.
    """
    return PydanticCustomError("conflict", "{message}", {"message": message, "keys": keys})


Text = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_no_control_characters)]


def _some_path(value: object) -> object:
    if isinstance(value, str) and not value.strip():
        raise ValueError("is empty")  # Path("") would be the current directory
    return _no_control_characters(value) if isinstance(value, str) else value


Directory = Annotated[Path, Field(strict=False), BeforeValidator(_some_path)]
File = Annotated[Directory, WithJsonSchema({"type": "string", "format": "file-path"})]


class Section(BaseModel):
    """A group of keys. Unknown keys are errors, and text never counts as a number."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_default=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_sections(cls, data: Any) -> Any:
        """`gate:` with nothing under it means the defaults, like a file without that line."""
        if not isinstance(data, dict):
            return data
        return {k: v for k, v in data.items() if v is not None or not is_section(cls, k)}


def is_section(model: type[Section], key: str) -> bool:
    """Whether `key` of `model` holds further keys (and not a value)."""
    field = model.model_fields.get(key)
    return field is not None and isinstance(field.annotation, type) and issubclass(field.annotation, Section)


def items_of(model: type[Section], key: str) -> type[Section] | None:
    """The section that each item of the list `key` of `model` is; None when items are plain values."""
    annotation = model.model_fields[key].annotation
    items = get_args(annotation) if get_origin(annotation) is list else ()
    return items[0] if items and isinstance(items[0], type) and issubclass(items[0], Section) else None
