"""Compile the contracts with the locked npm compiler and keep the committed artifacts honest.

``python build.py`` rewrites ``artifacts/``; ``python build.py --check`` recompiles and fails if a
committed file differs by a byte. Needs ``npm ci`` in this folder and ``node`` on the path, and
nothing beyond the standard library.

The artifacts are one JSON file a contract (see :mod:`adapters.evm.contracts.artifacts`) and
``solc-input.json``, the compiler's whole input with every source, which is what block explorers
ask for to verify the deployed bytecode.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
ARTIFACTS = ROOT / "artifacts"
CONTRACTS = {
    "SwitchyardCollector": "src/SwitchyardCollector.sol",
    "SwitchyardEscrow": "src/SwitchyardEscrow.sol",
    "TestUSDT": "src/TestUSDT.sol",
}
LIBRARY = "@openzeppelin/"
COMPILE_TIMEOUT_SECONDS = 300

# Cancun is the newest EVM that every chain we deploy to runs (transient storage, PUSH0, MCOPY).
# foundry.toml repeats the first three, so that tests run the code that is shipped.
SETTINGS: dict[str, Any] = {
    "evmVersion": "cancun",
    "viaIR": True,
    "optimizer": {"enabled": True, "runs": 10_000},
    "outputSelection": {
        "*": {
            "*": [
                "abi",
                "evm.bytecode.object",
                "evm.deployedBytecode.object",
                "evm.deployedBytecode.immutableReferences",
                "metadata",
            ]
        }
    },
}

# The warning that transient storage outlives a call: the guard clears it, as the warning asks.
ACCEPTED_WARNINGS = frozenset({"2394"})

_IMPORT = re.compile(r'^import\s[^;]*?"(?P<path>[^"]+)";', re.MULTILINE)


class CompilationFailed(Exception):
    """The compiler reported errors or warnings, which this build does not accept."""

    def __init__(self, messages: list[str]) -> None:
        self.messages = messages
        super().__init__("\n".join(messages))


def source_file(unit: str) -> Path:
    """Return the file of a source unit name such as ``@openzeppelin/contracts/...``."""
    return ROOT / "node_modules" / unit if unit.startswith(LIBRARY) else ROOT / unit


def imported_unit(path: str, *, importer: str) -> str:
    """Resolve an import path to a source unit name, the way the compiler does."""
    if not path.startswith("."):
        return path
    parts = importer.split("/")[:-1]
    for part in path.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def standard_input() -> dict[str, Any]:
    """Return the compiler's standard-json input: our sources, all they import, the settings."""
    sources: dict[str, str] = {}
    pending = sorted(CONTRACTS.values())
    while pending:
        unit = pending.pop()
        if unit in sources:
            continue
        sources[unit] = source_file(unit).read_text(encoding="utf-8")
        imports = [match["path"] for match in _IMPORT.finditer(sources[unit])]
        pending.extend(imported_unit(path, importer=unit) for path in imports)
    return {
        "language": "Solidity",
        "sources": {unit: {"content": sources[unit]} for unit in sorted(sources)},
        "settings": SETTINGS,
    }


def compile_contracts(request: dict[str, Any]) -> dict[str, Any]:
    """Run the compiler once.

    Raises:
        CompilationFailed: It reported an error or a warning.
        subprocess.CalledProcessError: It could not run (``npm ci`` was not).
    """
    finished = subprocess.run(  # noqa: S603 - the shim beside this file, with fixed arguments.
        ["node", str(ROOT / "solc.cjs"), "--standard-json"],  # noqa: S607 - node comes from PATH.
        input=json.dumps(request),
        capture_output=True,
        check=True,
        text=True,
        encoding="utf-8",
        timeout=COMPILE_TIMEOUT_SECONDS,
    )
    output: dict[str, Any] = json.loads(finished.stdout)
    problems = [
        entry["formattedMessage"]
        for entry in output.get("errors", ())
        if entry["errorCode"] not in ACCEPTED_WARNINGS
    ]
    if problems:
        raise CompilationFailed(problems)
    return output


def rendered_artifacts() -> dict[str, str]:
    """Compile and return the text of every file that belongs in ``artifacts/``, by file name."""
    request = standard_input()
    output = compile_contracts(request)
    files = {"solc-input.json": _rendered(request)}
    for name, unit in CONTRACTS.items():
        contract = output["contracts"][unit][name]
        deployed = contract["evm"]["deployedBytecode"]
        files[f"{name}.json"] = _rendered(
            {
                "name": name,
                "source": unit,
                "compiler": json.loads(contract["metadata"])["compiler"]["version"],
                "abi": contract["abi"],
                "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
                "deployed_bytecode": "0x" + deployed["object"],
                "immutables": _immutables(deployed["immutableReferences"]),
            }
        )
    return files


def _immutables(references: dict[str, list[dict[str, int]]]) -> list[list[int]]:
    """Return where each immutable stands in the deployed code, in the order of declaration."""
    return [
        sorted(place["start"] for place in references[declared])
        for declared in sorted(references, key=int)
    ]


def stale_files(files: dict[str, str]) -> list[str]:
    """Return the names of committed artifacts that differ from ``files``, or are missing."""
    return [
        name
        for name, text in files.items()
        if not (path := ARTIFACTS / name).is_file() or path.read_text(encoding="utf-8") != text
    ]


def main() -> int:
    """Write or check the artifacts; return the process's exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    options = parser.parse_args()
    try:
        files = rendered_artifacts()
    except CompilationFailed as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    if options.check:
        return _report(stale_files(files))
    ARTIFACTS.mkdir(exist_ok=True)
    for name, text in files.items():
        (ARTIFACTS / name).write_text(text, encoding="utf-8")
    return 0


def _report(stale: list[str]) -> int:
    if not stale:
        sys.stdout.write("The committed artifacts are what the sources compile to.\n")
        return 0
    sys.stderr.write(
        f"Committed artifacts are not what the sources compile to: {', '.join(stale)}.\n"
        "After `npm ci` in adapters/evm/contracts run `python build.py` there; commit the files.\n"
    )
    return 1


def _rendered(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    sys.exit(main())
