"""Linux lets a process give up rights for good: Landlock, from Linux 5.13 on.

It needs no privilege. A process in a domain of its own cannot look into others
(``/proc/<pid>/environ``, memory), also not as root, once root's capabilities are gone.
Files can still be read and written: which ones is not known when this begins.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_ASK_VERSION = 1
_NO_NEW_PRIVILEGES = 38

_EXECUTE, _MAKE_CHAR = 1 << 0, 1 << 6
_MAKE_SOCKET, _MAKE_FIFO, _MAKE_BLOCK, _MAKE_LINK = 1 << 9, 1 << 10, 1 << 11, 1 << 12
_FILES = _EXECUTE | _MAKE_CHAR | _MAKE_SOCKET | _MAKE_FIFO | _MAKE_BLOCK | _MAKE_LINK
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_ABSTRACT_SOCKET, _SIGNAL = 1 << 0, 1 << 1
_TCP_SINCE, _SCOPES_SINCE = 4, 6
"""Versions of its interface."""

_CAPABILITIES_VERSION = 0x20080522
_KEPT_CAPABILITIES = 1 << 1 | 1 << 2
"""Root may still get at files of others: the archive may be theirs."""


def version() -> int:
    """That of the system's interface; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    found = ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    return max(int(found), 0)


def give_up() -> bool:
    """From now on this thread, and what it starts, cannot look into other processes,
    start programs, make links or devices; from later versions of the system on, open no
    TCP connections (4) and signal no others (6). Whether the system knows this."""
    known = version()
    if known < 1:
        return False
    libc = ctypes.CDLL(None)
    parts = [_FILES]
    if known >= _TCP_SINCE:
        parts.append(_BIND_TCP | _CONNECT_TCP)
    if known >= _SCOPES_SINCE:
        parts.append(_ABSTRACT_SOCKET | _SIGNAL)
    content = struct.pack(f"={len(parts)}Q", *parts)
    ruleset = libc.syscall(
        _CREATE_RULESET, content, ctypes.c_size_t(len(content)), ctypes.c_uint(0)
    )
    if ruleset < 0:
        return False
    _leave_capabilities(libc)
    try:
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _leave_capabilities(libc: ctypes.CDLL) -> None:
    """Those of root: with ``CAP_PERFMON`` it may look into any process."""
    header = struct.pack("=Ii", _CAPABILITIES_VERSION, 0)
    held = ctypes.create_string_buffer(24)
    if libc.capget(header, held) == 0:
        now = struct.unpack("=6I", held.raw)
        kept = [part & _KEPT_CAPABILITIES for part in now[:2]]
        libc.capset(header, struct.pack("=6I", *kept, 0, 0, 0, 0))
