"""Every command of docs/cloud.md, run one after the other as a stranger would, against `edged serve`.

The samples of YAML are tried in tests/docs/test_cloud_codes.py.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import threading

import pytest
import yaml
from command_line import Ended, run_edged, surroundings
from places import PROJECT
from serving import serving

from edged.demo.photographs import PHOTO_DIR

PAGE = (PROJECT / "docs" / "cloud.md").read_text("utf-8")
DEADLINE_S = 120.0
LOOKING = ("edged library diff", "edged library sync --dry-run")
DIFFERS = 1
"""Their exit code when something differs: an answer, no failure."""


def commands(words: str) -> list[str]:
    """What the page tells people to type that begins with these words, in its order."""
    blocks = re.findall(r"```(?:console|sh)\n(.*?)```", PAGE, re.DOTALL)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(words)]


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """A box with the cloud engine, a photograph and a server to talk to, in the working directory."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(PHOTO_DIR / "jacinda_ardern_1.jpg", tmp_path / "anna.jpg")
    with serving(tmp_path / "server") as server:
        cloud = {"url": server.url, "groups": ["staff"], "liveness_control": "NONE", "threshold": 90}
        config = {"data_dir": "data", "recognition": {"engine": "cloud", "cloud": cloud}}
        (tmp_path / "edged.yaml").write_text(yaml.safe_dump(config))
        keys = server.keys["default"]
        yield {
            "EDGED_CONFIG": str(tmp_path / "edged.yaml"),
            "EDGED_CLOUD_API_KEY": keys.api_key,
            "EDGED_CLOUD_SECRET_KEY": keys.secret_key,
        }


def run(command: str, environment: dict[str, str]) -> Ended:
    program, *arguments = shlex.split(command)
    assert program == "edged"
    return run_edged(*arguments, env=environment)


@pytest.mark.slow
def test_the_commands_of_the_page_lead_from_nothing_to_the_cloud_and_back(tmp_path, environment):
    (tmp_path / "data").mkdir()
    typed = [command for command in commands("edged ") if not command.startswith("edged serve")]
    assert typed[0] == "edged check"
    for command in typed:
        done = run(command, environment)
        accepted = (0, DIFFERS) if command.startswith(LOOKING) else (0,)
        assert done.returncode in accepted, f"{command}: {done.stdout}{done.stderr}"
        if "--apply" in command:
            after = run("edged library diff", environment)
            assert after.returncode == 0, f"{command}: {after.stdout}{after.stderr}"
    assert any(command.startswith("edged people remove") for command in typed)


@pytest.mark.slow
def test_the_two_commands_of_a_server_of_your_own_make_one_that_answers(tmp_path, environment):
    make, serve = commands("edged serve")
    assert run(make, environment).returncode == 0
    settings = tmp_path / "site" / "serve.yaml"
    settings.write_text(settings.read_text("utf-8").replace("format: text", "format: json"), "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", *shlex.split(serve), "--port", "0"],
        cwd=tmp_path,
        env=surroundings(environment),
        stderr=subprocess.PIPE,
        text=True,
    )
    listening = threading.Event()

    def read() -> None:
        for line in process.stderr:
            if line.startswith("{") and json.loads(line).get("event") == "serving":
                listening.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert listening.wait(DEADLINE_S)
    finally:
        process.terminate()
        process.wait(DEADLINE_S)
        reader.join(DEADLINE_S)
        process.stderr.close()
