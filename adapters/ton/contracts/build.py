"""Compile the contracts with the locked npm compiler and keep the committed artifacts honest.

``python build.py`` rewrites ``artifacts/``; ``python build.py --check`` recompiles and fails if a
committed file differs by a byte. Needs ``npm ci`` in this folder and ``node`` on the path, and
nothing beyond the standard library.

The artifacts are one JSON file a contract, see :mod:`adapters.ton.contracts.jetton`. They name
the SHA-256 of every source, so that a test without a compiler sees that a source was edited.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
ARTIFACTS = ROOT / "artifacts"
SOURCES = ROOT / "src"
CONTRACTS = {"JettonMinter": "minter.fc", "JettonWallet": "wallet.fc"}
COMPILE_TIMEOUT_SECONDS = 120


class CompilationFailed(Exception):
    """The compiler reported an error."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


def sources() -> dict[str, str]:
    """Return the text of every source by file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(SOURCES.glob("*.fc"))}


def compiled(target: str, texts: dict[str, str]) -> dict[str, Any]:
    """Run the compiler once.

    Returns:
        Its version and what it made: the code's bag of cells in base64, and the code's hash.

    Raises:
        CompilationFailed: it reported an error.
        subprocess.CalledProcessError: it could not run (``npm ci`` was not).
    """
    finished = subprocess.run(  # noqa: S603 - the shim beside this file, with fixed arguments.
        ["node", str(ROOT / "func.cjs")],  # noqa: S607 - node comes from PATH.
        input=json.dumps({"targets": [target], "sources": texts}),
        capture_output=True,
        check=True,
        text=True,
        encoding="utf-8",
        timeout=COMPILE_TIMEOUT_SECONDS,
    )
    output: dict[str, Any] = json.loads(finished.stdout)
    if output["result"]["status"] != "ok":
        raise CompilationFailed(f"{target}: {output['result']['message']}")
    return output


def rendered_artifacts() -> dict[str, str]:
    """Compile and return the text of every file that belongs in ``artifacts/``, by file name."""
    texts = sources()
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    files = {}
    for name, target in CONTRACTS.items():
        output = compiled(target, texts)
        document = {
            "name": name,
            "source": target,
            "compiler": f"func {output['version']}",
            "sources_sha256": digests,
            "code_hash": output["result"]["codeHashHex"].lower(),
            "code": output["result"]["codeBoc"],
        }
        files[f"{name}.json"] = json.dumps(document, indent=1, ensure_ascii=True) + "\n"
    return files


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
        "After `npm ci` in adapters/ton/contracts run `python build.py` there; commit the files.\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
