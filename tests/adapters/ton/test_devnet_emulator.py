from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.ton.devnet.devnet import TonDevnet
from adapters.ton.devnet.emulator import LIBRARY_VARIABLE, EmulatorMissing, emulator_library
from adapters.ton.devnet.threaded import ThreadedTonDevnet

if TYPE_CHECKING:
    from pathlib import Path


def test_a_missing_emulator_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nowhere = str(tmp_path / "libemulator.so")
    monkeypatch.setenv(LIBRARY_VARIABLE, nowhere)
    assert emulator_library() is None
    with pytest.raises(EmulatorMissing) as missing:
        TonDevnet()
    told = str(missing.value)
    assert f"{LIBRARY_VARIABLE} names {nowhere}, which is no file" in told
    assert "Use Python 3.11, for which pytvm 0.0.14 has wheels" in told
    assert f"or set {LIBRARY_VARIABLE} to the path" in told


def test_a_thread_without_an_emulator_says_so_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(LIBRARY_VARIABLE, str(tmp_path / "libemulator.so"))
    with pytest.raises(EmulatorMissing):
        ThreadedTonDevnet().start()


def test_the_environment_names_the_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = tmp_path / "libemulator.so"
    library.touch()
    monkeypatch.setenv(LIBRARY_VARIABLE, str(library))
    assert emulator_library() == library
