"""The C++ TVM and transaction executor of the TON node, called through ctypes.

Functions and their results: ``emulator/emulator-extern.h`` of github.com/ton-blockchain/ton.
"""

from __future__ import annotations

import base64
import ctypes
import importlib.util
import json
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
from pytoniq_core import Cell

if TYPE_CHECKING:
    from pytoniq_core import Address

LIBRARY_VARIABLE = "SWITCHYARD_TON_EMULATOR"
GET_METHOD_GAS = 1_000_000
"""Gas of a get-method, as a liteserver grants it (config parameter 21: `gas_limit`)."""

_HANDLE = ctypes.c_void_p
_TEXT = ctypes.c_char_p
_SIGNATURES: Final[dict[str, tuple[Any, ...]]] = {
    "emulator_set_verbosity_level": (ctypes.c_bool, ctypes.c_int),
    "transaction_emulator_create": (_HANDLE, _TEXT, ctypes.c_int),
    "transaction_emulator_destroy": (None, _HANDLE),
    "transaction_emulator_set_unixtime": (ctypes.c_bool, _HANDLE, ctypes.c_uint32),
    "transaction_emulator_set_lt": (ctypes.c_bool, _HANDLE, ctypes.c_uint64),
    "transaction_emulator_set_rand_seed": (ctypes.c_bool, _HANDLE, _TEXT),
    "transaction_emulator_set_libs": (ctypes.c_bool, _HANDLE, _TEXT),
    "transaction_emulator_emulate_transaction": (_HANDLE, _HANDLE, _TEXT, _TEXT),
    "tvm_emulator_create": (_HANDLE, _TEXT, _TEXT, ctypes.c_int),
    "tvm_emulator_destroy": (None, _HANDLE),
    "tvm_emulator_set_c7": (
        ctypes.c_bool, _HANDLE, _TEXT, ctypes.c_uint32, ctypes.c_uint64, _TEXT, _TEXT,
    ),
    "tvm_emulator_set_gas_limit": (ctypes.c_bool, _HANDLE, ctypes.c_int64),
    "tvm_emulator_set_libraries": (ctypes.c_bool, _HANDLE, _TEXT),
    "tvm_emulator_run_get_method": (_HANDLE, _HANDLE, ctypes.c_int, _TEXT),
}  # fmt: skip
"""Result and arguments of each function; texts that it allocates are pointers, to be freed."""


class EmulatorMissing(Exception):
    """No TVM is installed for this interpreter and machine."""

    def __init__(self) -> None:
        self.python = platform.python_version()
        self.machine = f"{platform.system()} {platform.machine()}"
        self.named = os.environ.get(LIBRARY_VARIABLE)
        looked = f"{LIBRARY_VARIABLE} names {self.named}, which is no file" if self.named else (
            "the package pytvm is not installed, or brings no libemulator"
        )  # fmt: skip
        super().__init__(
            f"the TON devnet needs libemulator, and on Python {self.python}, {self.machine}, there"
            f" is none: {looked}. Use Python 3.11, for which pytvm 0.0.14 has wheels that bring"
            f" it, or set {LIBRARY_VARIABLE} to the path of a libemulator for this machine"
            " (releases of github.com/ton-blockchain/ton have some)"
        )


def emulator_library() -> Path | None:
    """Return where libemulator is: what the environment names, or what comes with pytvm."""
    named = os.environ.get(LIBRARY_VARIABLE)
    if named:
        path = Path(named)
        return path if path.is_file() else None
    package = importlib.util.find_spec("pytvm")
    if package is None or package.origin is None:
        return None
    found = sorted(Path(package.origin).parent.glob("engine/libemulator*"))
    return found[0] if found else None


@attrs.frozen(kw_only=True)
class Execution:
    """A transaction as the executor made it.

    Attributes:
        transaction: The transaction's cell (TL-B ``Transaction``).
        account: The account after it (TL-B ``ShardAccount``).
    """

    transaction: Cell
    account: Cell


class NotExecuted(Exception):
    """The account did not accept the message, or the message cannot be executed.

    Attributes:
        reason: What the executor says.
        exit_code: How TVM ended, where it ran.
    """

    def __init__(self, *, reason: str, exit_code: int | None) -> None:
        super().__init__(reason, exit_code)
        self.reason = reason
        self.exit_code = exit_code


@attrs.frozen(kw_only=True)
class MethodResult:
    """What a get-method returned: TVM's exit code and the stack (TL-B ``VmStack``), as a bag."""

    exit_code: int
    stack: bytes


class Emulator:
    """One executor with one chain configuration; of one thread at a time.

    Raises:
        EmulatorMissing: There is no library to load.
        ValueError: The executor does not take the configuration.
    """

    def __init__(self, *, config: Cell) -> None:
        path = emulator_library()
        if path is None:
            raise EmulatorMissing
        self._library: Final = ctypes.CDLL(str(path))
        for name, (result, *arguments) in _SIGNATURES.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        self._free: Final = ctypes.CDLL(None).free
        self._free.restype, self._free.argtypes = None, [_HANDLE]
        self._library.emulator_set_verbosity_level(0)
        self._config: Final = _text(config)
        self._libraries: bytes | None = None
        self._executor = self._library.transaction_emulator_create(self._config, 0)
        if not self._executor:
            raise ValueError("the executor does not take this configuration")

    def close(self) -> None:
        """Free the executor."""
        if self._executor is not None:
            self._library.transaction_emulator_destroy(self._executor)
        self._executor = None

    def set_libraries(self, libraries: Cell) -> None:
        """Let code refer to these libraries (TL-B ``HashmapE 256 LibDescr``, without its bit)."""
        self._libraries = _text(libraries)
        self._library.transaction_emulator_set_libs(self._executor, self._libraries)

    def execute(self, *, account: Cell, message: Cell, at: int, lt: int, seed: bytes) -> Execution:
        """Execute a message on an account (``ShardAccount``) at a Unix time and logical time.

        Raises:
            NotExecuted: An external message that was not accepted, or one that cannot be parsed.
            RuntimeError: The emulator is closed.
        """
        if self._executor is None:
            raise RuntimeError("the emulator is closed")
        lib = self._library
        lib.transaction_emulator_set_unixtime(self._executor, at)
        lib.transaction_emulator_set_lt(self._executor, lt)
        lib.transaction_emulator_set_rand_seed(self._executor, seed.hex().encode())
        answer = self._taken(
            lib.transaction_emulator_emulate_transaction(
                self._executor, _text(account), _text(message)
            )
        )
        if not answer["success"]:
            raise NotExecuted(
                reason=answer.get("error", "unknown"), exit_code=answer.get("vm_exit_code")
            )
        return Execution(
            transaction=_cell(answer["transaction"]), account=_cell(answer["shard_account"])
        )

    def run(
        self,
        *,
        address: Address,
        code: Cell,
        data: Cell,
        balance: int,
        at: int,
        method: int,
        stack: bytes,
    ) -> MethodResult:
        """Run a get-method of a contract that has a balance in nanotons, at a Unix time.

        Raises:
            NotExecuted: The stack cannot be parsed.
        """
        lib = self._library
        machine = lib.tvm_emulator_create(_text(code), _text(data), 0)
        try:
            if self._libraries is not None:
                lib.tvm_emulator_set_libraries(machine, self._libraries)
            named = address.to_str(is_user_friendly=False).encode()
            seed = bytes(32).hex().encode()
            lib.tvm_emulator_set_c7(machine, named, at, balance, seed, self._config)
            lib.tvm_emulator_set_gas_limit(machine, GET_METHOD_GAS)
            packed = base64.b64encode(stack)
            answer = self._taken(lib.tvm_emulator_run_get_method(machine, method, packed))
        finally:
            lib.tvm_emulator_destroy(machine)
        if not answer["success"]:
            raise NotExecuted(reason=answer.get("error", "unknown"), exit_code=None)
        return MethodResult(
            exit_code=answer["vm_exit_code"], stack=base64.b64decode(answer["stack"])
        )

    def _taken(self, pointer: int) -> dict[str, Any]:
        """Read a text that the library allocated, and free it."""
        try:
            answer: dict[str, Any] = json.loads(ctypes.string_at(pointer))
        finally:
            self._free(pointer)
        return answer


def _text(cell: Cell) -> bytes:
    return base64.b64encode(cell.to_boc())


def _cell(text: str) -> Cell:
    return Cell.one_from_boc(base64.b64decode(text))
