"""Only one module of the package sends pictures of enrolled people to the cloud, and it asks for consent."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import edged
from edged.cloudsync.cloud_people import CloudPeople

PACKAGE = Path(edged.__file__).parent
ENROLLING = frozenset({"user_add", "user_update", "scene_user_add", "scene_user_update", "user_copy"})
GATE = PACKAGE / "cloudsync" / "cloud_people.py"
# where the calls are made of, and where this box itself is the server that answers them
DEFINING = (PACKAGE / "faceapi", PACKAGE / "server")


def users_of(names: frozenset[str], source: str) -> set[str]:
    """Which of `names` are used as attributes, or named in a string, as `getattr` would."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found & names


def test_no_other_module_enrols_anybody_in_the_cloud():
    callers = {
        path
        for path in PACKAGE.rglob("*.py")
        if not any(path.is_relative_to(folder) for folder in DEFINING)
        and users_of(ENROLLING, path.read_text(encoding="utf-8"))
    }
    assert callers == {GATE}


def test_the_client_itself_enrols_only_when_it_is_called():
    for path in DEFINING[0].rglob("*.py"):
        called = {
            node.func.attr
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        assert not called & ENROLLING, path


def test_every_way_through_the_gate_asks_for_consent_before_it_sends():
    for name in ("upload", "use_library"):
        source = inspect.getsource(getattr(CloudPeople, name))
        sending = "self._enrol(" if name == "upload" else "search("
        assert 0 < source.index("self._permit(") < source.index(sending + "picture")
