"""When a process of the demo ends: at a signal, and with its parent."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading


def stop_with_parent() -> None:
    """Ask this process to stop when standard input ends.

    The parent holds the other end of the pipe. It ends however the parent dies, also where the
    parent could do nothing about it.
    """

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def stop_event() -> asyncio.Event:
    """Return an event that is set by the signals that end a program."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop
