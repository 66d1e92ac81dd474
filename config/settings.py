"""Settings: one file, read once, checked before anything starts.

The file is TOML. ``SWITCHYARD_SETTINGS`` names it; a setting of the form
``SWITCHYARD_<TABLE>__<KEY>`` in the environment takes the place of the one in the file, so that
secrets need not be written down.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import attrs
import cattrs
from cattrs import transform_error
from cattrs.v import format_exception

from adapters.system.calendar import CronCalendar
from config.assets import AssetSetting
from config.chains import ChainSetting, EvmChainSetting, TonChainSetting
from config.checks import positive
from config.destinations import PayoutDestinations
from config.finality import check_large_amounts
from config.http import Http
from config.key_ring import Secrets
from config.keys import Keys, KeystoreSetting, SignerConnection, check_keys
from config.limits import Limits
from config.networks import check_assets
from config.operators import OperatorSetting, check_operators
from config.stars import Stars, check_stars
from config.wallets import Wallets, check_wallets
from domain.shared.kinds import Queue
from domain.shared.pace import Cron, Pace
from ports.calendar import NotACalendarExpression

FILE_VARIABLE = "SWITCHYARD_SETTINGS"
PREFIX = "SWITCHYARD_"
DEPLOYMENTS = ("demo", "testing")
TRANSPORTS = ("memory", "rabbitmq")
EPOCH = datetime.fromtimestamp(0, UTC)
ANSWER_SECONDS_MAX = 30
"""How long a merchant's server may take at most: half the time a try is waited for."""
SettingsT = TypeVar("SettingsT")


@attrs.frozen
class WrongSettings(ValueError):
    """The settings cannot be used; each line names one and says why."""

    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.lines)


@attrs.frozen
class Database:
    """Where PostgreSQL is."""

    url: str = attrs.field(repr=False)
    connections_max: int = attrs.field(default=8, validator=positive)
    """Of each process. More than the server has cores to serve only wait there, and slower: on two
    cores 16 instead of 8 cost a quarter more of PostgreSQL's time and doubled the p99."""
    statement_timeout_seconds: float = attrs.field(default=10.0, validator=positive)
    keep_merchants_apart: bool = True
    """Have the server show the API's process the rows of one merchant at a time."""


@attrs.frozen
class Rate:
    """What one whole unit of an asset is worth in a currency, by the operator's own word."""

    source: str
    asset: str
    currency: str
    rate: str

    @property
    def value(self) -> Decimal:
        """The rate as a number.

        Raises:
            InvalidOperation: it is not one.
        """
        return Decimal(self.rate)

    def __attrs_post_init__(self) -> None:
        try:
            positive = self.value.is_finite() and self.value > 0
        except InvalidOperation:
            positive = False
        if not positive:
            raise ValueError(f"rate of {self.source} must be a decimal number above 0")


@attrs.frozen
class Intents:
    """The clocks of payment intents."""

    pay_within_seconds: int = attrs.field(default=1800, validator=positive)
    auto_release_after_seconds: int = attrs.field(default=7 * 86400, validator=positive)
    refund_window_seconds: int = attrs.field(default=30 * 86400, validator=positive)


@attrs.frozen
class Worker:
    """How jobs are run, and how often those that come back."""

    threads: int = attrs.field(default=4, validator=positive)
    queues: tuple[Queue, ...] = ()
    """The queues whose jobs this worker takes; none named: all."""
    transport: str = attrs.field(default="memory", validator=attrs.validators.in_(TRANSPORTS))
    """What brings a job that is due to a thread; rabbitmq spreads them over many machines."""
    rabbitmq_url: str | None = attrs.field(default=None, repr=False)
    relay: bool = True
    """With rabbitmq: hand jobs that are due to it, besides running those it brings."""
    schedules: Mapping[str, Pace] = attrs.field(factory=dict)
    """Seconds or a cron expression, by name, in place of how often a job would come back."""
    time_zone: str = "UTC"
    """The time zone of cron expressions."""
    done_kept_days: int = attrs.field(default=3, validator=positive)
    dead_kept_days: int = attrs.field(default=90, validator=positive)
    platform_events_kept_days: int = attrs.field(default=30, validator=positive)
    """How long operators' events are kept."""
    watch_every_seconds: float = attrs.field(default=1.0, validator=positive)
    hand_over_every_seconds: float = attrs.field(default=0.5, validator=positive)
    deliver_every_seconds: float = attrs.field(default=1.0, validator=positive)
    """How often it is looked for deliveries that are due again; new ones are begun at once."""
    expire_every_seconds: float = attrs.field(default=5.0, validator=positive)
    release_every_seconds: float = attrs.field(default=600.0, validator=positive)
    settle_every_seconds: float = attrs.field(default=3600.0, validator=positive)
    apply_destinations_every_seconds: float = attrs.field(default=60.0, validator=positive)
    sweep_every_seconds: float = attrs.field(default=60.0, validator=positive)
    reconcile_every_seconds: float = attrs.field(default=60.0, validator=positive)
    rebalance_wallets_every_seconds: float = attrs.field(default=300.0, validator=positive)
    check_tanks_every_seconds: float = attrs.field(default=300.0, validator=positive)
    seal_every_seconds: float = attrs.field(default=2.0, validator=positive)
    keep_rates_every_seconds: float = attrs.field(default=60.0, validator=positive)
    expire_holds_every_seconds: float = attrs.field(default=60.0, validator=positive)
    refund_stars_every_seconds: float = attrs.field(default=60.0, validator=positive)
    reconcile_stars_every_seconds: float = attrs.field(default=60.0, validator=positive)
    mature_stars_every_seconds: float = attrs.field(default=3600.0, validator=positive)
    look_at_chains_every_seconds: float = attrs.field(default=10.0, validator=positive)
    look_at_queues_every_seconds: float = attrs.field(default=5.0, validator=positive)
    prune_every_seconds: float = attrs.field(default=3600.0, validator=positive)

    def __attrs_post_init__(self) -> None:
        if (self.transport == "rabbitmq") != (self.rabbitmq_url is not None):
            raise ValueError("rabbitmq_url is needed by the transport rabbitmq, and by it alone")
        if urlsplit(self.rabbitmq_url or "amqp:").scheme not in {"amqp", "amqps"}:
            raise ValueError("rabbitmq_url must begin with amqp:// or amqps://")
        for name, pace in self.schedules.items():
            if isinstance(pace, Cron):
                try:
                    CronCalendar().following(pace.expression, after=EPOCH, zone=self.time_zone)
                except NotACalendarExpression as error:
                    raise ValueError(f"{name}: {error}") from error
            elif pace <= timedelta(0):
                raise ValueError(f"{name} must be more than 0 seconds")


@attrs.frozen
class Webhooks:
    """How merchants' servers are reached."""

    timeout_seconds: float = attrs.field(
        default=15.0, validator=[positive, attrs.validators.le(ANSWER_SECONDS_MAX)]
    )
    in_flight: int = attrs.field(default=256, validator=positive)
    """How many messages one worker has under way at a time: as many connections are open."""
    log_kept_days: int = attrs.field(default=30, validator=positive)
    """How long the log of deliveries that have ended is kept."""
    allow_private_addresses: bool = False
    """Let endpoints lie on this machine or a private network: for a demo, never for the world."""


@attrs.frozen
class Books:
    """How the books are valued, and statements of them signed."""

    currency: str = "iso4217:USD"
    """In which postings are valued."""
    statement_key_file: Path | None = None
    """The Ed25519 key that signs statements; ``switchyard books key`` makes one."""


@attrs.frozen
class Settings:
    """Everything a process is told."""

    database: Database
    http: Http
    keys: Keys
    assets: tuple[AssetSetting, ...]
    chains: tuple[ChainSetting, ...]
    rates: tuple[Rate, ...]
    deployment: str = attrs.field(default="demo", validator=attrs.validators.in_(DEPLOYMENTS))
    intents: Intents = attrs.field(factory=Intents)
    books: Books = attrs.field(factory=Books)
    worker: Worker = attrs.field(factory=Worker)
    webhooks: Webhooks = attrs.field(factory=Webhooks)
    secrets: Secrets = attrs.field(factory=Secrets)
    limits: Limits = attrs.field(factory=Limits)
    payout_destinations: PayoutDestinations = attrs.field(factory=PayoutDestinations)
    stars: Stars | None = None
    wallets: Wallets = attrs.field(factory=Wallets)
    keystore: KeystoreSetting | None = None
    signer: SignerConnection | None = None
    """Where the worker has signed, instead of signing by itself."""
    operators: tuple[OperatorSetting, ...] = ()
    """Who may use the queue console of the API; where nobody may, there is none."""

    def __attrs_post_init__(self) -> None:
        if self.books.currency not in {asset.id for asset in self.assets}:
            raise ValueError(f"books.currency {self.books.currency} is not one of the assets")
        names = [chain.id for chain in self.chains]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"chains: {', '.join(sorted(twice))} more than once")
        check_operators(self.operators)
        check_assets(self.assets)
        check_stars(self.stars, listed=((asset.id, asset.decimals) for asset in self.assets))
        check_large_amounts(self.chains, assets=self.assets)
        check_wallets(self.wallets, chains=self.chains, assets=self.assets)
        named = [*self.keys.named, *(key for chain in self.ton_chains for key in chain.named)]
        check_keys(named, keystore=self.keystore, signer=self.signer)

    @property
    def evm_chains(self) -> tuple[EvmChainSetting, ...]:
        """The chains of the EVM family."""
        return tuple(chain for chain in self.chains if isinstance(chain, EvmChainSetting))

    @property
    def ton_chains(self) -> tuple[TonChainSetting, ...]:
        """TON's networks."""
        return tuple(chain for chain in self.chains if isinstance(chain, TonChainSetting))


def load(file: Path | None = None, *, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from a file and the environment.

    Raises:
        WrongSettings: there is no file, it is not TOML, or a setting is missing, unknown or
            not of its kind; each line of the message names the setting.
    """
    return structure(tables(file, environment=environment))


def tables(
    file: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    kind: type[attrs.AttrsInstance] = Settings,
) -> dict[str, Any]:
    """Read the plain tables of a kind of settings from a file and the environment.

    Raises:
        WrongSettings: there is no file, or it is not TOML.
    """
    env = os.environ if environment is None else environment
    if file is None:
        named = env.get(FILE_VARIABLE)
        if not named:
            raise WrongSettings((f"{FILE_VARIABLE} must name the settings file",))
        file = Path(named)
    try:
        raw = tomllib.loads(file.read_text())
    except OSError as error:
        raise WrongSettings((f"{file}: {error.strerror}",)) from error
    except tomllib.TOMLDecodeError as error:
        raise WrongSettings((f"{file}: {error}",)) from error
    return _overridden(raw, env, {field.name for field in attrs.fields(kind)})


def structure(raw: Mapping[str, object]) -> Settings:
    """Turn plain tables into settings.

    Raises:
        WrongSettings: a setting is missing, unknown or not of its kind.
    """
    return structure_as(Settings, raw, path="settings")


def structure_as(kind: type[SettingsT], raw: object, *, path: str) -> SettingsT:
    """Turn plain values into settings of a kind; ``path`` is what messages call them.

    Raises:
        WrongSettings: a setting is missing, unknown or not of its kind.
    """
    try:
        return _converter.structure(raw, kind)
    except cattrs.BaseValidationError as error:
        lines = transform_error(error, path=path, format_exception=_say)
        raise WrongSettings(tuple(lines)) from error


def _say(error: BaseException, kind: type | None) -> str:
    """Put one error into words: a check's own words where it has any."""
    if isinstance(error, ValueError | TypeError) and error.args:
        return str(error.args[0])
    return format_exception(error, kind)


def seconds(value: float) -> timedelta:
    """Turn a setting in seconds into a length of time."""
    return timedelta(seconds=value)


def _overridden(raw: dict[str, Any], env: Mapping[str, str], tables: set[str]) -> dict[str, Any]:
    for name, value in env.items():
        table, found, key = name.removeprefix(PREFIX).lower().partition("__")
        if not (name.startswith(PREFIX) and found and table in tables):
            continue
        settings = raw.setdefault(table, {})
        if not isinstance(settings, dict):
            raise WrongSettings((f"{name}: settings.{table} is not a table",))
        settings[key] = value
    return raw


def _strict(kind: type) -> Any:  # noqa: ANN401 (a cattrs hook)
    def hook(value: object, _: type) -> object:
        if type(value) is not kind:
            raise TypeError(f"expected {kind.__name__}, got {value!r}")
        return value

    return hook


def _whole(value: object, _: type) -> int:
    """Take whole numbers, and their text where they come from the environment."""
    if isinstance(value, str) and value.isascii() and value.lstrip("-").isdigit():
        return int(value)
    if type(value) is not int:
        raise TypeError(f"expected a whole number, got {value!r}")
    return value


def _number(value: object, _: type) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"expected a number, got {value!r}")
    return float(value)


def _queues(value: object, _: type) -> tuple[Queue, ...]:
    """Take a list of names, or one text of them with commas, as an environment has it."""
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list):
        raise TypeError(f"expected a list of queues, got {value!r}")
    return tuple(Queue(name) for name in names)


def _pace(value: object, _: type) -> Pace:
    return Cron(value) if isinstance(value, str) else seconds(_number(value, float))


def _chain(value: object, _: type) -> ChainSetting:
    """Take a chain's table for what the family in its name says."""
    name = value.get("id") if isinstance(value, dict) else None
    if str(name).startswith("ton:"):
        return _converter.structure(value, TonChainSetting)
    return _converter.structure(value, EvmChainSetting)


_converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
_converter.register_structure_hook(str, _strict(str))
_converter.register_structure_hook(bool, _strict(bool))
_converter.register_structure_hook(int, _whole)
_converter.register_structure_hook(float, _number)
_converter.register_structure_hook_func(lambda kind: kind == tuple[Queue, ...], _queues)
_converter.register_structure_hook(Pace, _pace)
_converter.register_structure_hook_func(lambda kind: kind == ChainSetting, _chain)
_converter.register_structure_hook(Path, lambda value, _: Path(str(value)))
