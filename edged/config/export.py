"""The schema for editors (JSON Schema) and for people (a table that `python -m edged.config.export` prints).

An editor with a YAML language server checks a file while it is typed when the file begins with
`# yaml-language-server: $schema=edged.schema.json`, a file that `edged check --schema` prints.
"""

from __future__ import annotations

import json
from typing import Any

from edged.config.base import Section
from edged.config.fields import Key, keys
from edged.config.schema import Config


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the configuration file.

    It agrees with the loader also where the export of pydantic does not: an empty section means its
    defaults, and `camera.source` may be a bare number.
    """
    schema = Config.model_json_schema()
    for section in (schema, *schema["$defs"].values()):
        section["title"] = section["title"].removesuffix("Config")
        for name, field in section["properties"].items():
            field.pop("title", None)
            if "$ref" in field:
                section["properties"][name] = _section_or_empty(field)
    source = schema["$defs"]["CameraConfig"]["properties"]["source"]
    source["type"] = ["string", "integer"]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**head, **schema, "title": "edged.yaml", "type": ["object", "null"]}


def _section_or_empty(field: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in field.items() if key != "$ref"}
    return {**rest, "anyOf": [{"$ref": field["$ref"]}, {"type": "null"}]}


def markdown_table(root: type[Section] = Config) -> str:
    """Every key of the schema as a Markdown table, one table per section, ending in a newline."""
    lines: list[str] = []
    previous: tuple[str, ...] | None = None
    for key in keys(root).values():
        if key.section or key.repeated:
            continue
        if key.path[:-1] != previous:
            previous = key.path[:-1]
            lines += _heading(previous, root)
        lines.append(_row(key))
    return "\n".join(lines).strip() + "\n"


def _heading(section: tuple[str, ...], root: type[Section]) -> list[str]:
    if not section:
        title, text = "Top of the file", "Written without indentation."
    else:
        title, text = f"`{'.'.join(section)}`", keys(root)[section].description
    return ["", f"### {title}", "", text, "", "| key | default | allowed | meaning |", "|---|---|---|---|"]


def _row(key: Key) -> str:
    default = "" if key.default is None else f"`{json.dumps(key.default, ensure_ascii=False)}`"
    allowed = f"{key.allowed} {key.unit}".rstrip()
    meaning = key.description.replace("|", "\\|")
    return f"| `{key.path[-1]}` | {default} | {allowed} | {meaning} |"


if __name__ == "__main__":
    print(markdown_table(), end="")
