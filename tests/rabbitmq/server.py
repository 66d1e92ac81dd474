"""A RabbitMQ of the tests' own, from the Debian package: on loopback, in a directory of its own.

It can be killed as by a power cut and started again over what it has written down.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import psutil

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

PROGRAMS = f"/usr/lib/rabbitmq/bin{os.pathsep}{os.environ.get('PATH', os.defpath)}"
"""Debian's command on the PATH would change the user, and with it the environment."""
AMQP_HEADER = b"AMQP\0\0\x09\x01"
"""How a client of AMQP 0-9-1 greets."""
PATIENCE_SECONDS = 60


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        port: int = asking.getsockname()[1]
        return port


@attrs.define
class RabbitServer:
    """One node. It runs inside ``with``."""

    directory: Path
    port: int = attrs.field(factory=free_port)
    _epmd_port: int = attrs.field(factory=free_port)
    _processes: list[subprocess.Popen[bytes]] = attrs.field(factory=list)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def __enter__(self) -> Self:
        # Erlang's name server would outlive the node as a daemon, were it not started before.
        self._run("epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1")
        try:
            self._wait_for(self._epmd_port, b"")
            self.start()
        except BaseException:
            self._end_all()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end_all()

    def start(self) -> None:
        """Start the node and wait until it answers.

        Raises:
            TimeoutError: it does not.
        """
        self._run("rabbitmq-server")
        self._wait_for(self.port, AMQP_HEADER)

    def kill(self) -> None:
        """End the node without a word, and what it has started with it."""
        _end(self._processes.pop())

    def _end_all(self) -> None:
        while self._processes:
            _end(self._processes.pop())

    def _wait_for(self, port: int, greeting: bytes) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as asking:
                asking.settimeout(5)
                if asking.connect_ex(("127.0.0.1", port)) == 0:
                    asking.sendall(greeting)
                    if not greeting or asking.recv(1):
                        return
            time.sleep(0.1)
        raise TimeoutError((self.directory / "log").read_text())

    def _run(self, program: str, *arguments: str) -> None:
        found = shutil.which(program, path=PROGRAMS)
        assert found, f"{program} is not installed"
        self.directory.mkdir(exist_ok=True)
        with (self.directory / "log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 (a program we found)
                [found, *arguments], env=self._environment(), stdout=log, stderr=log
            )
        self._processes.append(process)

    def _environment(self) -> dict[str, str]:
        directory = str(self.directory)
        return {
            "PATH": PROGRAMS,
            "HOME": directory,
            "ERL_CRASH_DUMP": f"{directory}/crash",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"switchyard-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": directory,
            "RABBITMQ_LOG_BASE": directory,
            "RABBITMQ_PID_FILE": f"{directory}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{directory}/plugins",
            "RABBITMQ_CONFIG_FILE": f"{directory}/rabbitmq",
            "RABBITMQ_CONF_ENV_FILE": f"{directory}/environment",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1"
            ),
        }


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process, and what it has started."""
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    for member in family:
        member.kill()
    psutil.wait_procs(family, PATIENCE_SECONDS)
    process.wait(PATIENCE_SECONDS)
