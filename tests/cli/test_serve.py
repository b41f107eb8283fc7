"""`edged serve` as a person and systemd meet it: first start, wrong input, signals, restart, TLS."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading

import pytest
import requests
import yaml
from command_line import run_edged, run_process
from places import PROJECT
from processes import start_process

from edged.config.export import markdown_table
from edged.config.serve import AppConfig, ServeConfig, load_serve_config
from edged.server.authentication import read_keys
from edged.server.setup import example_text

ROOT = PROJECT
DEADLINE_S = 60.0
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("EDGED_", "NOTIFY_", "CREDENTIALS"))}


class Process:
    """A server in a process of its own, known to be ready by what it tells systemd."""

    def __init__(self, folder, *arguments):
        notified = folder / "notify.sock"
        notified.unlink(missing_ok=True)
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._manager.bind(str(notified))
        self._manager.settimeout(DEADLINE_S)
        self.process = start_process(
            [
                sys.executable,
                "-m",
                "edged",
                "serve",
                "-c",
                str(folder / "serve.yaml"),
                "--port",
                "0",
                *arguments,
            ],
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT | {"NOTIFY_SOCKET": str(notified)},
        )
        self.log = []
        self._reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self._reader.start()
        self.ready = self._manager.recv(1000).decode()
        self.url = self.ready.split(" at ")[1].strip()

    def told(self):
        """The next message, but for those that feed the watchdog."""
        while (message := self._manager.recv(1000).decode()) == "WATCHDOG=1":
            pass
        return message

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        status = self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        self._manager.close()
        return status


@pytest.fixture
def folder(tmp_path):
    done = run_edged("serve", "--init", tmp_path / "site")
    assert done.returncode == 0, done.stderr
    return tmp_path / "site"


@pytest.fixture
def start(folder):
    started = []

    def run(*arguments):
        started.append(Process(folder, *arguments))
        return started[-1]

    yield run
    for one in started:
        if one.process.poll() is None:
            one.stop(signal.SIGKILL)


def token_for(url, folder):
    keys = read_keys(folder / "secrets.yaml", ["default"])["default"]
    fields = {
        "grant_type": "client_credentials",
        "client_id": keys.api_key,
        "client_secret": keys.secret_key,
    }
    return requests.get(f"{url}/oauth/2.0/token", params=fields, timeout=DEADLINE_S).json()["access_token"]


def groups(url, token):
    address = f"{url}/rest/2.0/face/v3/faceset/group/getlist"
    return requests.post(address, params={"access_token": token}, json={}, timeout=DEADLINE_S).json()


def add_group(url, token, group_id):
    address = f"{url}/rest/2.0/face/v3/faceset/group/add"
    body = {"group_id": group_id}
    return requests.post(address, params={"access_token": token}, json=body, timeout=DEADLINE_S).json()


def test_two_commands_make_a_running_server_that_stops_in_order_and_tells_the_manager(folder, start):
    server = start()
    assert "READY=1" in server.ready
    token = token_for(server.url, folder)
    assert groups(server.url, token)["result"] == {"group_id_list": []}
    server.process.send_signal(signal.SIGTERM)
    assert "STOPPING=1" in server.told()
    assert server.process.wait(DEADLINE_S) == 0


@pytest.mark.slow
def test_libraries_and_tokens_survive_even_a_kill(folder, start):
    first = start()
    token = token_for(first.url, folder)
    assert add_group(first.url, token, "g")["error_code"] == 0
    first.stop(signal.SIGKILL)
    second = start()
    assert groups(second.url, token)["result"] == {"group_id_list": ["g"]}
    assert second.stop(signal.SIGINT) == 0


@pytest.mark.slow
def test_a_second_server_on_the_same_libraries_is_refused(folder, start):
    start()
    second = run_edged("serve", "-c", folder / "serve.yaml", "--port", "0")
    assert second.returncode == 69
    assert "uses the data directory" in second.stderr


def test_a_port_that_is_taken_is_named(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_process("serve", "-c", folder / "serve.yaml", "--port", port)
    assert done.returncode == 69
    assert f"Cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_an_address_of_another_machine_is_named(folder):
    done = run_process("serve", "-c", folder / "serve.yaml", "--port", "0", "--host", "no.such.host.invalid")
    assert done.returncode == 69
    assert "no.such.host.invalid" in done.stderr
    assert "an address of this machine" in done.stderr


def test_what_init_made_is_private_valid_and_never_overwritten(folder):
    assert (folder / "secrets.yaml").stat().st_mode & 0o777 == 0o600
    config = load_serve_config(folder / "serve.yaml", environ={})
    assert config.data_dir == folder / "data"
    assert [app.id for app in config.apps] == ["default"]
    before = (folder / "secrets.yaml").read_text()
    again = run_edged("serve", "--init", folder)
    assert again.returncode == 78
    assert (folder / "secrets.yaml").read_text() == before


def test_init_shows_no_key(tmp_path):
    done = run_edged("serve", "--init", tmp_path / "x")
    keys = read_keys(tmp_path / "x" / "secrets.yaml", ["default"])["default"]
    assert keys.secret_key not in done.stdout + done.stderr
    assert "edged serve --config" in done.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mode": 0o644}, "may be used by others"),
        ({"secrets": ""}, "no keys"),
        ({"secrets": "default: 5"}, "something else than api_key and secret_key"),
        ({"secrets": "default: {api_key: short, secret_key: short}"}, "16 to 128"),
        ({"secrets": "{"}, "secrets.yaml"),
        ({"config": "apps: []"}, "No application is configured"),
        ({"config": "prot: 1"}, 'did you mean "port"'),
        ({"config": "apps: [{id: a b}]"}, "apps[0].id"),
        ({"config": "apps: [{id: a}, {id: a}]"}, "listed more than once"),
        ({"config": "apps: [{qps: 1}]"}, "apps[0].id"),
        ({"config": "apps: [{id: a, private: true}]\ntls: {certificate: x.pem}"}, "belong together"),
        ({"config": "apps: [{id: a, private: true}]\ntls: {certificate: x, key: x}"}, "cannot be used"),
        ({"config": "apps: [{id: a}]"}, "There are no keys"),
        ({"gone": "secrets.yaml"}, "is not there"),
        ({"gone": "serve.yaml"}, "edged serve --init"),
    ],
    ids=str,
)
def test_wrong_input_is_named_and_nothing_starts(folder, change, said):
    if "mode" in change:
        (folder / "secrets.yaml").chmod(change["mode"])
    if "secrets" in change:
        (folder / "secrets.yaml").write_text(change["secrets"])
    if "config" in change:
        (folder / "serve.yaml").write_text(change["config"])
    if "gone" in change:
        (folder / change["gone"]).unlink()
    done = run_edged(
        "serve",
        "-c",
        folder / "serve.yaml",
        "--port",
        "0",
        env={"EDGED_SERVE_DATA_DIR": str(folder / "data")},
    )
    assert done.returncode == 78, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_impossible_port_is_wrong_usage():
    assert run_edged("serve", "--port", "70000").returncode == 2


def test_the_shipped_file_shows_every_key_with_its_default():
    shown = yaml.safe_load(example_text())
    defaults = ServeConfig().model_dump(mode="json")
    own = {"data_dir", "secrets_file", "apps"}
    assert set(shown) == set(defaults)
    assert {k: v for k, v in shown.items() if k not in own} == {
        k: v for k, v in defaults.items() if k not in own
    }
    assert shown["apps"] == [AppConfig(id="default").model_dump(mode="json")]


def test_the_documentation_holds_the_table_of_the_schema():
    page = ROOT / "docs" / "serve.md"
    assert markdown_table(ServeConfig) in page.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_what_the_page_tells_people_to_try_works(folder, start):
    page = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
    (block,) = (b for b in re.findall(r"```sh\n(.*?)```", page, re.S) if "curl" in b)
    script = block.split("\n", 1)[1].replace("http://127.0.0.1:8300", start().url)
    keys = read_keys(folder / "secrets.yaml", ["default"])["default"]
    environment = ENVIRONMENT | {"AK": keys.api_key, "SK": keys.secret_key}
    done = subprocess.run(
        ["sh", "-euc", script],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env=environment,
        check=True,
    )
    assert json.loads(done.stdout)["result"] == {"group_id_list": []}


@pytest.mark.slow
def test_it_speaks_tls_with_the_certificate_given(folder, start):
    certificate, key = folder / "server.pem", folder / "server.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        capture_output=True, check=True, timeout=DEADLINE_S,
    )  # fmt: skip
    text = (folder / "serve.yaml").read_text()
    text = text.replace("  certificate:\n", "  certificate: server.pem\n").replace(
        "  key:\n", "  key: server.key\n"
    )
    (folder / "serve.yaml").write_text(text)
    server = start()
    assert server.url.startswith("https://127.0.0.1:")
    answer = requests.get(f"{server.url}/oauth/2.0/token", verify=str(certificate), timeout=DEADLINE_S)
    assert answer.json()["error"] == "unsupported_grant_type"
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{server.url}/oauth/2.0/token", timeout=DEADLINE_S)
    assert server.stop() == 0
