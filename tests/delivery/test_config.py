"""The section `delivery`: what is refused, with which words."""

from __future__ import annotations

import pytest

from edged.config import ConfigProblems, load_config
from edged.config.advice import advise
from edged.config.load import load as load_with_places

HTTP = "{name: office, kind: http, url: 'https://records.example/x'"


@pytest.fixture
def load(tmp_path):
    def read(*targets, more=""):
        file = tmp_path / "edged.yaml"
        file.write_text("delivery:\n" + more + "  targets:\n" + "".join(f"    - {t}\n" for t in targets))
        return load_config(file, environ={}).delivery

    return read


def problem(load, *targets, **given):
    with pytest.raises(ConfigProblems) as refused:
        load(*targets, **given)
    (found,) = refused.value.problems
    return str(found)


def test_one_target_of_each_kind(load):
    delivery = load(
        HTTP + ", events: [decisions, alarms], batch: 100}",
        "{name: hook, kind: webhook, url: 'http://127.0.0.1:8080/hook'}",
        "{name: house, kind: mqtt, url: 'mqtts://broker.example', mqtt: {username: door1, version: 3}}",
        "{name: files, kind: file, file: {folder: export, format: csv}}",
        "{name: hr, kind: frappe, url: 'https://hr.example', events: [punches]}",
    )
    assert [target.kind for target in delivery.targets] == ["http", "webhook", "mqtt", "file", "frappe"]
    assert delivery.targets[0].pictures is False


def test_paths_count_from_the_folder_of_the_file(load, tmp_path):
    delivery = load(
        "{name: files, kind: file, file: {folder: export}, ca_file: ca.pem}", more="  secrets_file: s.yaml\n"
    )
    assert delivery.secrets_file == tmp_path / "s.yaml"
    assert delivery.targets[0].file.folder == tmp_path / "export"
    assert delivery.targets[0].ca_file == tmp_path / "ca.pem"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("{name: a, kind: http}", "needs url"),
        ("{name: a, kind: http, url: 'mqtt://x'}", "http:// or https://"),
        ("{name: a, kind: mqtt, url: 'https://x'}", "mqtt:// or mqtts://"),
        ("{name: a, kind: http, url: 'https://'}", "needs a url"),
        ("{name: a, kind: http, url: 'https://x:99999'}", "needs a url"),
        ("{name: a, kind: http, url: 'https://me:secret@x'}", "secrets of the target"),
        ("{name: a, kind: file}", "needs file.folder"),
        ("{name: a, kind: frappe, url: 'https://x'}", "punches only"),
        ("{name: a, kind: http, url: 'https://x', retry_s: 9, retry_max_s: 3}", "is below retry_s"),
        ("{name: a, kind: post, url: 'https://x'}", "not one of the choices"),
        ("{name: a, kind: http, url: 'https://x', events: []}", "is empty"),
        ("{name: a, kind: http, url: 'https://x', events: [doors]}", "not one of the choices"),
        ("{name: a, kind: http, url: 'https://x', batch: 0}", "too small"),
        ("{name: a b, kind: http, url: 'https://x'}", "not allowed"),
        ("{kind: http, url: 'https://x'}", "has no value"),
        ("{name: a, kind: mqtt, url: 'mqtt://x', mqtt: {topik: x}}", 'did you mean "topic"'),
    ],
)
def test_a_mistake_is_shown_with_its_line_and_what_to_write(load, target, words):
    text = problem(load, target)
    assert words in text
    assert ":3:" in text
    assert "secret@" not in text


def test_two_targets_of_one_name_are_refused(load):
    assert "office is listed more than once" in problem(load, HTTP + "}", HTTP + "}")


def test_a_receiver_without_encryption_is_worth_a_second_look_unless_it_is_on_this_machine(tmp_path):
    file = tmp_path / "edged.yaml"
    urls = ("http://records.example", "http://127.0.0.1:8080", "https://records.example", "http://[::1]/")
    targets = "".join(f"    - {{name: t{n}, kind: http, url: '{url}'}}\n" for n, url in enumerate(urls))
    file.write_text("delivery:\n  targets:\n" + targets)
    remarks = [r for r in advise(load_with_places(file, environ={}), lambda _: True) if "targets" in r.key]
    assert [(r.key, r.line) for r in remarks] == [("delivery.targets[0].url", 3)]
