"""A process that leaves no picture of its memory behind."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4
"""prctl(2); set to 0, no other process of the user can trace this one or read its memory."""


def leave_no_dumps() -> None:
    """Write no core, and let no debugger in, as far as the system can do that."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 (there is none on Windows)

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
