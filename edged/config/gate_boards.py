"""Facts about relay boards for the section `gate`, asked of their drivers: protocols, settings, descriptions.

The drivers lie above the configuration and import it for their types, so this module imports their registry
by name, and only when a value is checked (docs/decisions/0012-drivers-own-their-settings.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from edged.board_family import BoardFamily

_REGISTRY = "edged.gate.drivers.registry"


def protocols() -> tuple[str, ...]:
    """Values of `gate.protocol`. Imports no driver."""
    return tuple(import_module(_REGISTRY).DRIVERS)


def family(protocol: str) -> BoardFamily:
    """The boards that speak `protocol`. Imports their driver."""
    found: BoardFamily = import_module(_REGISTRY).family(protocol)
    return found


def families() -> dict[str, BoardFamily]:
    """Every protocol with its boards. Imports all drivers."""
    found: dict[str, BoardFamily] = import_module(_REGISTRY).families()
    return found


def firmwares() -> tuple[str, ...]:
    """Values of `gate.firmware`."""
    return _each(name for found in families().values() for name in found.firmwares)


def profiles() -> tuple[str, ...]:
    """Values of `gate.profile`."""
    return _each(profile.name for found in families().values() for profile in found.profiles)


class OneOf:
    """Annotation of a text that must be one of several words, found when a value is checked.

    Errors and JSON Schema are those of a `Literal`.

    Args:
        words: gives the choices.
        usual: a word that needs no check, so that the default loads no driver.
    """

    def __init__(self, words: Callable[[], Sequence[str]], usual: str = "") -> None:
        self._words = words
        self._usual = usual

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._check)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"enum": list(self._words()), "type": "string"}

    def _check(self, value: object) -> str:
        if isinstance(value, str) and ((value and value == self._usual) or value in self._words()):
            return value
        raise PydanticKnownError("literal_error", {"expected": " or ".join(map(repr, self._words()))})


Completion = Callable[[dict[str, Any]], None]
"""A field's `json_schema_extra`: replaces `{boards}` in the description when a schema is asked for."""


def only(key: str) -> Completion:
    """`lcus only`, or `modbus, dcon`: the protocols whose boards read `key`."""

    def words() -> str:
        readers = _readers_of(key)
        return f"{readers[0]} only" if len(readers) == 1 else ", ".join(readers)

    return _completing(words)


def all_but(key: str) -> Completion:
    """`all but lcus`: the protocols whose boards do not read `key`."""
    return _completing(
        lambda: f"all but {', '.join(name for name in protocols() if name not in _readers_of(key))}"
    )


def their_profiles() -> Completion:
    """``modbus: `waveshare` (meant when left out), `coils`, `fc06` ``, for each protocol that has some."""

    def words() -> str:
        listed = {name: [f"`{p.name}`" for p in found.profiles] for name, found in families().items()}
        return "; ".join(
            f"{name}: {', '.join([f'{usual} (meant when left out)', *others])}"
            for name, (usual, *others) in ((name, names) for name, names in listed.items() if names)
        )

    return _completing(words)


def their_inputs(key: str) -> Completion:
    """`dcon (to 8), ...`: the protocols whose boards read `key`, with the most contacts."""
    return _completing(
        lambda: ", ".join(f"{name} (to {family(name).most_inputs})" for name in _readers_of(key))
    )


def _completing(words: Callable[[], str]) -> Completion:
    def complete(schema: dict[str, Any]) -> None:
        schema["description"] = schema["description"].replace("{boards}", words())

    return complete


def _readers_of(key: str) -> tuple[str, ...]:
    return tuple(name for name, found in families().items() if key in found.settings)


def _each(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
