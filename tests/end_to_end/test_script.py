"""``switchyard demo --script``: the first thing anybody runs."""

from __future__ import annotations

import json
import socket

from tests.end_to_end.running_demo import data_directory, processes_in, run


def test_the_story_ends_well_and_speaks_json_alone() -> None:
    with data_directory() as directory:
        done = run("demo", "--script", "--json", f"--data={directory}", timeout_seconds=120)

        assert done.returncode == 0, done.stdout + done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert {line["kind"] for line in lines} == {"chapter", "step", "ended"}
        assert lines[-1]["kind"] == "ended"
        assert lines[-1]["checks"] > 30
        times = [line["at_ms"] for line in lines]
        assert times == sorted(times)
        assert done.stderr == ""
        assert processes_in(directory) == []


def test_a_node_that_is_down_is_told_in_a_line() -> None:
    with data_directory() as directory:
        done = run(
            "demo", "--script", "--json", f"--data={directory}", "--evm-rpc=http://127.0.0.1:9"
        )

        assert done.returncode == 1
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert line.startswith("No node answered")
        assert "127.0.0.1:9" in line
        assert processes_in(directory) == []


def test_a_port_that_is_taken_is_told_before_anything_is_started() -> None:
    with data_directory() as directory, socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run("demo", f"--data={directory}", "--port=0", f"--devnet-port={port}")

        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith("Another program listens on this port")
        assert str(port) in line
        assert not directory.exists()
