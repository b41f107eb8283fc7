"""Connections that tell the kernel at once that bytes have come. Knows nothing of HTTP's content.

Many small servers (Python's http.server among them) write the head and the body of an answer one after the
other. Their kernel keeps the body back until the head is acknowledged, and the kernel here waits 40 ms with
that, so one record a request would be 20 a second.
"""

from __future__ import annotations

from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from edged.web_session import acknowledge_at_once


class PromptAckAdapter(HTTPAdapter):
    """Mounted in a session of `requests`, all of its connections acknowledge promptly."""

    def init_poolmanager(self, *args: Any, **keywords: Any) -> None:
        super().init_poolmanager(*args, **keywords)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _EncryptedPool}


class _Prompt(HTTPConnection):
    def getresponse(self) -> Any:
        if self.sock is not None:
            acknowledge_at_once(self.sock)
        return super().getresponse()


class _EncryptedPrompt(_Prompt, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Prompt


class _EncryptedPool(HTTPSConnectionPool):
    ConnectionCls = _EncryptedPrompt
