"""The target `mqtt`: records to a broker with QoS 1, and announcements of the box to Home Assistant.

Topics: `TOPIC/DEVICE/decision`, `…/alarm`, `…/punch`, `…/event`; records that are too old to act on go to
`TOPIC/DEVICE/historic/…` instead, so they trigger no listener of the first topics.
`TOPIC/DEVICE/status` is `online` or, by the last will, `offline`.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from edged.clock import Clock
from edged.config.delivery_section import TargetConfig
from edged.delivery.target import DeliveryFailed, Message, Receipt
from edged.delivery.target_secrets import TargetSecrets
from edged.delivery.targets.home_assistant import announcements
from edged.errors import EdgedError, NeedsOperator

ONLINE, OFFLINE = "online", "offline"
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_BATCH = 100
"""Records that wait together for their acknowledgements; paho has at most 20 of them under way at once, the
default limit of mosquitto."""

_LOGIN = ("Bad user name or password", "Not authorized", "Bad authentication method", "Banned")
_TOO_BIG_OR_BAD = (0x95, 0x99)  # packet too large, payload format invalid: about this one record
_NOT_ALLOWED = (0x87, 0x90)  # not authorized, topic name invalid: about the topic, so about every record


class MqttTarget:
    """Keeps one connection, in paho's thread. After a failed delivery it makes a new one, so that paho does
    not send anything of the failed attempt later.

    Args:
        device: id of this box; part of topics and of the client id.
        site: name of the device in Home Assistant.
        kinds: kinds of records that this target gets, for the announcements.
    """

    batch = _BATCH

    def __init__(
        self,
        settings: TargetConfig,
        secrets: TargetSecrets,
        clock: Clock,
        *,
        device: str,
        site: str,
        kinds: frozenset[str],
    ) -> None:
        self._settings = settings
        self._password = secrets.find("password")
        self._clock = clock
        self._device = re.sub(r"[^A-Za-z0-9_-]", "_", device)  # + # and / mean something in topics
        self._site = site
        self._kinds = kinds
        self._base = f"{settings.mqtt.topic.strip('/')}/{self._device}"
        self._changed = threading.Condition()
        self._client: paho.Client | None = None
        self._connected = False
        self._refusal: str | None = None
        # message number -> reason code, 0 when an older broker gives none
        self._acknowledged: dict[int, int] = {}

    def deliver(self, messages: Sequence[Message]) -> Receipt:
        """Publish all, then wait for the acknowledgements of the broker."""
        client = self._ready()
        with self._changed:
            self._acknowledged.clear()  # those of announcements; numbers come round again
        try:
            numbers = {self._publish(client, message): message for message in messages}
            codes = self._wait_for_acknowledgements(frozenset(numbers))
        except EdgedError:
            self._hang_up(client)
            raise
        if any(code in _NOT_ALLOWED for code in codes.values()):
            raise NeedsOperator(
                f"{self._settings.name}: the broker does not let this user publish to {self._base}/….",
                code="delivery_login",
                hint="Allow it in the broker's access list, or change mqtt.topic.",
            )
        return Receipt(
            frozenset(message.id for n, message in numbers.items() if codes[n] < 0x80),
            {
                m.id: f"reason code 0x{codes[n]:02x}"
                for n, m in numbers.items()
                if codes[n] in _TOO_BIG_OR_BAD
            },
        )

    def tend(self) -> None:
        """Connect, so that the availability is right while nothing happens."""
        self._ready()

    def close(self) -> None:
        """Publish `offline` and disconnect."""
        client, self._client = self._client, None
        if client is None:
            return
        with suppress(ValueError, RuntimeError):
            said = client.publish(self._base + "/status", OFFLINE, qos=1, retain=True)
            said.wait_for_publish(1.0)
        self._end(client)

    # -- the connection

    def _ready(self) -> paho.Client:
        """A connected client. Raises DeliveryFailed, NeedsOperator."""
        client = self._client if self._client is not None else self._connect()
        with self._changed:
            self._changed.wait_for(
                lambda: self._connected or self._refusal is not None, self._settings.timeout_s
            )
            connected, refusal = self._connected, self._refusal
        if connected:
            return client
        self._hang_up(client)
        if refusal is None:
            raise self._failed("did not answer in time")
        if refusal in _LOGIN:
            raise NeedsOperator(
                f"{self._settings.name}: the broker refuses the connection: {refusal}.",
                code="delivery_login",
                hint="Check mqtt.username and the password of the target.",
            )
        raise self._failed(f"refuses the connection: {refusal}")

    def _connect(self) -> paho.Client:
        url = urlsplit(self._settings.url or "")
        self._connected, self._refusal = False, None
        client = self._new_client(url.scheme == "mqtts")
        try:
            client.connect(
                url.hostname or "", url.port or _PORTS[url.scheme], keepalive=self._settings.mqtt.keepalive_s
            )
        except ssl.SSLCertVerificationError as error:
            raise NeedsOperator(
                f"{self._settings.name}: the certificate of the broker is not valid: {error.verify_message}.",
                code="delivery_certificate",
                hint="Renew it there, check the clock of this box, or name its authority with ca_file.",
            ) from error
        except ssl.SSLError as error:
            raise NeedsOperator(
                f"{self._settings.name}: the connection cannot be encrypted: {error.reason}.",
                code="delivery_tls",
                hint="Check that the port is one for mqtts.",
            ) from error
        except (OSError, ValueError) as error:
            raise self._failed(f"cannot be reached ({getattr(error, 'strerror', None) or error})") from error
        client.loop_start()
        self._client = client
        return client

    def _new_client(self, encrypted: bool) -> paho.Client:
        mqtt = self._settings.mqtt
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"edged-{self._device}-{self._settings.name}",
            protocol=paho.MQTTv5 if mqtt.version == 5 else paho.MQTTv311,
        )
        client.connect_timeout = self._settings.timeout_s
        client.reconnect_delay_set(1, 30)
        client.will_set(self._base + "/status", OFFLINE, qos=1, retain=True)
        if mqtt.username is not None:
            client.username_pw_set(mqtt.username, self._password.reveal() if self._password else None)
        if encrypted:
            client.tls_set_context(self._tls())
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        return client

    def _tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._settings.ca_file)
        except OSError as error:
            raise NeedsOperator(
                f"{self._settings.name}: ca_file {self._settings.ca_file} cannot be used: {error}.",
                code="delivery_ca_file",
                hint="Put the certificate of the authority there, in PEM form.",
            ) from error

    def _hang_up(self, client: paho.Client) -> None:
        self._client = None
        self._end(client)

    def _end(self, client: paho.Client) -> None:
        client.on_connect = client.on_disconnect = client.on_publish = None
        client.disconnect()
        client.loop_stop()
        with self._changed:
            self._connected = False
            self._acknowledged.clear()

    def _failed(self, what: str) -> DeliveryFailed:
        return DeliveryFailed(
            f"The broker of {self._settings.name} {what}.",
            code="delivery_unreachable",
            hint="Check the network and that the broker runs; records wait here meanwhile.",
        )

    # -- records

    def _publish(self, client: paho.Client, message: Message) -> int:
        middle = "historic/" if message.body.get("historic") else ""
        # Home Assistant's event entities look for this key
        body = {**message.body, "event_type": event_type(message)}
        payload = json.dumps(body, ensure_ascii=False).encode("utf-8")
        said = client.publish(f"{self._base}/{middle}{message.kind}", payload, qos=1)
        if said.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise self._failed("has gone away")
        return said.mid

    def _wait_for_acknowledgements(self, numbers: frozenset[int]) -> dict[int, int]:
        def complete() -> bool:
            return numbers <= self._acknowledged.keys() or not self._connected

        with self._changed:
            in_time = self._changed.wait_for(complete, self._settings.timeout_s)
            codes = {n: self._acknowledged.pop(n) for n in numbers if n in self._acknowledged}
        if len(codes) == len(numbers):
            return codes
        raise DeliveryFailed(
            f"The broker of {self._settings.name} "
            + ("broke off the connection." if in_time else "did not acknowledge in time."),
            code="delivery_no_acknowledgement",
            about_record=True,
        )

    # -- callbacks in paho's thread

    def _on_connect(self, client: paho.Client, _: Any, __: Any, reason: Any, ___: Any) -> None:
        if not reason.is_failure:
            client.publish(self._base + "/status", ONLINE, qos=1, retain=True)
            if self._settings.mqtt.discovery:
                for topic, content in announcements(
                    self._settings.mqtt.discovery_prefix, self._base, self._device, self._site, self._kinds
                ):
                    client.publish(topic, json.dumps(content), qos=1, retain=True)
        with self._changed:
            self._connected = not reason.is_failure
            self._refusal = str(reason) if reason.is_failure else None
            self._changed.notify_all()

    def _on_disconnect(self, _: Any, __: Any, ___: Any, ____: Any, _____: Any) -> None:
        with self._changed:
            self._connected = False
            self._changed.notify_all()

    def _on_publish(self, _: Any, __: Any, number: int, reason: Any, ___: Any) -> None:
        with self._changed:
            self._acknowledged[number] = int(getattr(reason, "value", 0))
            self._changed.notify_all()


def event_type(message: Message) -> str:
    """The message in one word: result of a decision, direction of a punch, or name of the event."""
    if message.event == "punch_recorded":
        return str(message.body.get("direction"))
    return str(message.body.get("result") or message.event)
