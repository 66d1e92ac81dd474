from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
import ctypes, resource
from adapters.system.undumped import leave_no_dumps
leave_no_dumps()
print(resource.getrlimit(resource.RLIMIT_CORE)[0], ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""
"""3 is ``PR_GET_DUMPABLE``."""


def test_no_core_is_written_and_no_debugger_let_in() -> None:
    told = subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert told.stdout.split() == ["0", "0" if sys.platform == "linux" else "-1"]
