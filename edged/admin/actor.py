"""Who does something: a user with a role, at a place. Checking passwords happens elsewhere."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass

from edged.admin.rights import Right


@dataclass(frozen=True)
class UserRole:
    """A named set of rights."""

    name: str
    rights: frozenset[Right]


LOCAL = UserRole("local user", frozenset(Right))
"""A user at the command line: the file system decides whether they reach the data directory at all."""


@dataclass(frozen=True)
class Actor:
    """Who does something.

    Attributes:
        user: name, for records; the number as text when the system knows no name.
        uid: number of the system's user; None for somebody who is no user of the system.
        role: what they may do.
        origin: where from, for records: `command line`.
    """

    user: str
    uid: int | None
    role: UserRole
    origin: str


def local_actor() -> Actor:
    """The user who runs this process, at the command line.

    Their name is that of the login (`LOGNAME`), which `su` keeps; `uid` is the user that files see.
    """
    uid = os.geteuid()
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # Python 3.13 raises the second
        user = str(uid)
    return Actor(user, uid, LOCAL, "command line")
