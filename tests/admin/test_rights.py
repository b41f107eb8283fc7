"""Every function of edged.admin declares its right, asks for it, and takes the actor first."""

from __future__ import annotations

import inspect
import os
import pkgutil
import pwd
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import edged.admin
from edged.admin.actor import LOCAL, Actor, UserRole, local_actor
from edged.admin.box import Box
from edged.admin.people import export_people, list_people, remove_person
from edged.admin.rights import Right, may, needed
from edged.clock import ManualClock
from edged.config import Config
from edged.errors import NeedsOperator

BESIDE = {"actor", "box", "inputs", "rights"}
"""Modules that hold no thing a person may do."""

MODULES = [module.name for module in pkgutil.iter_modules(edged.admin.__path__)]
HEAVY = ("numpy", "cv2", "requests", "urllib3", "serial", "openpyxl", "edged.models", "edged.vision")


def functions_of(name: str):
    module = import_module(f"edged.admin.{name}")
    for found, value in vars(module).items():
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not found.startswith("_"):
            yield value


FUNCTIONS = [function for name in MODULES if name not in BESIDE for function in functions_of(name)]


def test_there_are_functions_in_every_module_of_things_to_do():
    assert set(MODULES) > BESIDE
    assert len(FUNCTIONS) > 30
    assert {function.__module__ for function in FUNCTIONS} == {
        f"edged.admin.{name}" for name in MODULES if name not in BESIDE
    }


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f"{f.__module__}.{f.__name__}")
def test_every_function_declares_a_right_and_takes_the_actor_first(function):
    assert needed(function) in Right
    parameters = list(inspect.signature(function).parameters.values())
    assert (parameters[0].name, parameters[0].annotation) == ("actor", "Actor")


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f"{f.__module__}.{f.__name__}")
def test_every_function_refuses_an_actor_without_its_right_before_it_looks_at_anything(function):
    others = frozenset(Right) - {needed(function)}
    actor = Actor("mia", None, UserRole("visitor", others), "web")
    blanks = {
        parameter.name: None
        for parameter in list(inspect.signature(function).parameters.values())[1:]
        if parameter.default is inspect.Parameter.empty
    }

    with pytest.raises(NeedsOperator) as refused:
        function(actor, **blanks)

    assert refused.value.code == "not_allowed"
    assert "mia (visitor)" in refused.value.message
    assert not may(actor, function)


@pytest.mark.parametrize("right", Right)
def test_every_right_is_needed_by_something(right):
    assert any(needed(function) is right for function in FUNCTIONS)


def test_a_local_user_has_every_right():
    actor = local_actor()
    assert actor.role is LOCAL
    assert all(may(actor, function) for function in FUNCTIONS)


def test_a_local_user_is_known_by_the_name_of_the_login_and_the_number_of_the_process(monkeypatch):
    monkeypatch.setenv("LOGNAME", "mia")
    assert (local_actor().user, local_actor().uid) == ("mia", os.geteuid())


def test_a_user_without_any_name_is_known_by_the_number(monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", dict[int, object]().__getitem__)
    assert local_actor().user == str(os.getuid())


def test_nobody_may_call_what_declares_no_right():
    assert not may(local_actor(), print)


def test_a_right_to_see_is_none_to_erase(tmp_path):
    reader = Actor("mia", None, UserRole("reader", frozenset({Right.PEOPLE_SEE})), "web")
    box = Box(ManualClock(), Config, tmp_path)
    assert list_people(reader, box).total == 0
    assert list(export_people(reader, box)) == []
    with pytest.raises(NeedsOperator, match=r"people\.erase"):
        remove_person(reader, box, "anna")


def test_a_box_whose_directory_is_named_reads_no_configuration(tmp_path):
    def broken() -> Config:
        raise AssertionError("read")

    assert Box(ManualClock(), broken, tmp_path).data_dir == tmp_path


def test_a_box_reads_its_configuration_once(tmp_path):
    read = []

    def load() -> Config:
        read.append(1)
        return Config(data_dir=tmp_path)

    box = Box(ManualClock(), load)
    assert (box.data_dir, box.config.data_dir) == (tmp_path, tmp_path)
    assert read == [1]


def test_importing_admin_loads_no_network_no_driver_and_no_http_client():
    imports = "; ".join(f"import edged.admin.{name}" for name in MODULES)
    program = f"import sys; {imports}; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    root = Path(edged.admin.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"
