"""The signer's own process: its settings, and what it is made of.

It is told of keys and policies, and of nothing else: no database, no node, no merchant.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from adapters.signer_process.journal import SqliteSigningJournal, lines
from adapters.signer_process.messages import SignSweep
from adapters.signer_process.server import Desk, SignerServer
from adapters.system.clock import SystemClock
from adapters.system.secret_files import read_key
from adapters.system.undumped import leave_no_dumps
from config.keys import KeystoreSetting
from config.keystores import keystore
from config.policies import SigningKeySetting
from config.settings import WrongSettings, structure_as, tables
from config.signing_keys import signing_key
from domain.shared.money import ChainId
from domain.signing.service import Order, Signing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from adapters.signer_process.messages import Question


@attrs.frozen(kw_only=True)
class ListeningSetting:
    """Where the signer listens, who may ask, and where it remembers."""

    journal: Path
    """A file of its own: what was signed and refused, and how much of it today."""
    socket: Path | None = None
    port: int | None = attrs.field(
        default=None,
        validator=attrs.validators.optional([attrs.validators.ge(0), attrs.validators.le(65535)]),
    )
    """A port of 127.0.0.1, where there are no sockets in the file system."""
    secret_file: Path | None = None
    """A file of mode 0600 with 64 hexadecimal digits that both sides have; needed by a port."""
    users: tuple[int, ...] = ()
    """Who may ask besides the signer's own user, by number."""
    group: int | None = None
    """The group that may open the socket, by number; without one only the signer's user may."""

    def __attrs_post_init__(self) -> None:
        if (self.socket is None) == (self.port is None):
            raise ValueError("signer has either a socket or a port")
        if (self.port is None) != (self.secret_file is None):
            raise ValueError("secret_file is needed by a port, and by it alone")


@attrs.frozen(kw_only=True)
class SignerSettings:
    """Everything the signer's process is told."""

    signer: ListeningSetting
    keystore: KeystoreSetting
    keys: tuple[SigningKeySetting, ...] = attrs.field(validator=attrs.validators.min_len(1))

    def __attrs_post_init__(self) -> None:
        places = [(key.id, key.chain) for key in self.keys]
        if len({*places}) != len(places):
            raise ValueError("keys: a key is there twice for one chain")


@attrs.frozen(kw_only=True)
class SignerProcess:
    """What the signer's process runs."""

    server: SignerServer
    journal: SqliteSigningJournal


def load_signer(
    file: Path | None = None, *, environment: Mapping[str, str] | None = None
) -> SignerSettings:
    """Read the signer's settings from a file and the environment.

    Raises:
        WrongSettings: there is no file, or a setting is missing, unknown or not of its kind.
    """
    raw = tables(file, environment=environment, kind=SignerSettings)
    return structure_as(SignerSettings, raw, path="settings")


def signer(settings: SignerSettings) -> SignerProcess:
    """Open the keys and the journal. From here on the keystore is not needed.

    Raises:
        WrongSettings: a key is none for what it is to sign, or not the hot wallet's.
        KeyFileRefused, KeystoreRefused, NoSuchKey: a key cannot be opened.
        KeyWrapperUnavailable: the wrapping key is somewhere that does not answer.
        JournalRefused: another signer has the journal, or it is none.
    """
    opened = keystore(settings.keystore)
    keys = {(key.id, ChainId(key.chain)): signing_key(key, opened) for key in settings.keys}
    desk = _desk(settings.signer)
    journal = SqliteSigningJournal(settings.signer.journal)
    signing = Signing(SystemClock(), journal, keys)
    return SignerProcess(server=SignerServer(desk, answering(signing)), journal=journal)


def journal_lines(settings: SignerSettings) -> Iterator[Mapping[str, object]]:
    """Return what was told of each order, from the first on, each line with its hash.

    Raises:
        JournalRefused: there is no journal, or a line was changed or taken out.
    """
    for line in lines(settings.signer.journal):
        yield {"number": line.number, **line.told, "hash": line.hash.hex()}


def keep_to_itself() -> None:
    """Let nothing that is in this process's memory get out of it by a core or a debugger."""
    leave_no_dumps()


def answering(signing: Signing) -> Callable[[Question, str], bytes]:
    """Return what turns a question into an order, and carries it out."""

    def sign(question: Question, client: str) -> bytes:
        index = question.index if isinstance(question, SignSweep) else None
        return signing.sign(
            Order(
                key=question.key,
                chain=ChainId(question.chain),
                sender=question.sender,
                unsigned=question.unsigned,
                index=index,
                client=client,
            )
        )

    return sign


def _desk(setting: ListeningSetting) -> Desk:
    place = setting.port if setting.socket is None else setting.socket
    if place is None:
        raise WrongSettings(("signer has either a socket or a port",))
    secret = None if setting.secret_file is None else read_key(setting.secret_file)
    return Desk(place=place, secret=secret, users=frozenset(setting.users), group=setting.group)
