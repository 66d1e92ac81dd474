"""Payment intents through HTTP on PostgreSQL, beside the same API without a database and the rows
without an API.
"""

from __future__ import annotations

import http.client
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs

from config.demo.running import write_settings
from tests.benchmarks import bare_intents, load, memory_api
from tests.benchmarks.load import Outcome
from tests.benchmarks.processes import cpu_seconds, errand, free_port, serving
from tests.benchmarks.report import Figure, expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.world import Bench, World

PATH = "/v1/payment_intents"
METHODS = ("escrow", "address")
CONNECTIONS, MANY_CONNECTIONS = 16, 64
WARM_UP_SECONDS = 0.7
"""Long enough for every connection to have prepared its statements."""


@attrs.frozen(kw_only=True)
class Api:
    """A running API and what is asked of it."""

    port: int
    pid: int
    api_key: str
    asset: str
    seconds: float
    postmaster: int | None = None
    """PostgreSQL's process id, where there is one."""

    def load(self, *, connections: int, method: str | None = None, path: str = PATH) -> Metered:
        """Put load on it after a warm-up; ``method`` creates intents, none reads a path."""
        body = {
            "method": method,
            "asset": self.asset,
            "price": {"asset": "iso4217:USD", "amount": "2500"},
            "description": "Order 1042",
            "metadata": {"order": "1042"},
        }
        order = load.Order(
            port=self.port,
            connections=connections,
            seconds=self.seconds,
            path=path,
            method="POST" if method else "GET",
            api_key=self.api_key,
            body=json.dumps(body) if method else "",
        )
        status = "201" if method else "200"
        warm = _answered(attrs.evolve(order, seconds=min(WARM_UP_SECONDS, self.seconds)), status)
        before, stored_before = cpu_seconds(self.pid), cpu_seconds(self.postmaster)
        outcome = _answered(order, status)
        return Metered(
            outcome=outcome,
            server_seconds=cpu_seconds(self.pid) - before,
            postgres_seconds=cpu_seconds(self.postmaster) - stored_before,
            answers=warm.total + outcome.total,
        )


@attrs.frozen(kw_only=True)
class Metered:
    """What load came back with, and the CPU time that was spent on it."""

    outcome: Outcome
    server_seconds: float
    postgres_seconds: float
    answers: int
    """How many there were, the warm-up's included."""

    @property
    def server_ms(self) -> float:
        """The server's CPU time for each answer."""
        return self.server_seconds / self.outcome.total * 1000

    @property
    def postgres_ms(self) -> float:
        """PostgreSQL's CPU time for each answer."""
        return self.postgres_seconds / self.outcome.total * 1000


def measure(bench: Bench) -> Iterator[Figure]:
    """Create intents by each method, and read one."""
    with bench.world() as world:
        yield from _measured(world, bench.seconds)


def _measured(world: World, seconds: float) -> Iterator[Figure]:
    with _in_memory(world, seconds) as api:
        bound = api.load(connections=CONNECTIONS, path="/healthz")
        memory = {each: api.load(connections=CONNECTIONS, method=each) for each in METHODS}
        memory_get = api.load(connections=CONNECTIONS, path=_newest_of(api))
    yield Figure(
        name="http/healthz c=16",
        value=bound.outcome.per_second,
        unit="requests/s",
        reference=bound.outcome.total / bound.outcome.cpu_seconds,
        against="requests per CPU second of the load generator: its own limit",
        cpu_seconds=bound.server_seconds,
    )
    with _on_postgres(world, seconds) as api:
        for method in METHODS:
            few, many, bare, bare_many = _created(world, api, method)
            name = f"intents/create {method}"
            yield from _against_bare(f"{name} c={CONNECTIONS}", few, bare)
            yield _throughput(f"{name} c={CONNECTIONS}", few, memory[method])
            yield from _cost(name, few, memory[method], bare)
            yield from _against_bare(f"{name} c={MANY_CONNECTIONS}", many, bare_many)
        got = api.load(connections=CONNECTIONS, path=_newest_of(api))
        yield _throughput(f"intents/show c={CONNECTIONS}", got, memory_get)
        yield from _tail(f"intents/show c={CONNECTIONS}", got, memory_get, "no database")


def _created(world: World, api: Api, method: str) -> tuple[Metered, Metered, Metered, Metered]:
    """Create intents over few and many connections, and as many rows without the gateway."""
    before = _rows(world)
    few = api.load(connections=CONNECTIONS, method=method)
    many = api.load(connections=MANY_CONNECTIONS, method=method)
    _check(world, before, few.answers + many.answers)
    before = _rows(world)
    bare = _bare(world, api, CONNECTIONS)
    bare_many = _bare(world, api, MANY_CONNECTIONS)
    _check(world, before, bare.answers + bare_many.answers)
    return few, many, bare, bare_many


def _throughput(name: str, measured: Metered, memory: Metered) -> Figure:
    return Figure(
        name=f"{name} (no database beside)",
        value=measured.outcome.per_second,
        unit="requests/s",
        reference=memory.outcome.per_second,
        against="the same API over a store in memory",
        cpu_seconds=measured.server_seconds,
    )


def _against_bare(name: str, measured: Metered, bare: Metered) -> Iterator[Figure]:
    yield Figure(
        name=name,
        value=measured.outcome.per_second,
        unit="requests/s",
        reference=bare.outcome.per_second,
        against="the same rows by one hand-written statement, no gateway",
        cpu_seconds=measured.server_seconds + measured.postgres_seconds,
    )
    yield from _tail(name, measured, bare, "the hand-written statement")


def _tail(name: str, measured: Metered, reference: Metered, against: str) -> Iterator[Figure]:
    for percentile in ("p50_ms", "p95_ms", "p99_ms"):
        yield Figure(
            name=f"{name} {percentile.removesuffix('_ms')}",
            value=getattr(measured.outcome, percentile),
            unit="ms",
            reference=getattr(reference.outcome, percentile),
            against=against,
        )


def _cost(name: str, measured: Metered, memory: Metered, bare: Metered) -> Iterator[Figure]:
    yield Figure(
        name=f"{name} api CPU",
        value=measured.server_ms,
        unit="ms/intent",
        reference=memory.server_ms,
        against="the same API over a store in memory",
        cpu_seconds=measured.server_seconds,
    )
    yield Figure(
        name=f"{name} PostgreSQL CPU",
        value=measured.postgres_ms,
        unit="ms/intent",
        reference=bare.postgres_ms,
        against="the hand-written statement",
        cpu_seconds=measured.postgres_seconds,
    )


def _answered(order: load.Order, status: str) -> Outcome:
    """Put load on a server and see to it that every answer has the status."""
    outcome = Outcome(**errand(load.__name__, attrs.asdict(order)))
    expect(
        f"answers of {order.method} {order.path}",
        expected={status: outcome.total},
        found=outcome.answers,
    )
    return outcome


def _bare(world: World, api: Api, tasks: int) -> Metered:
    order = bare_intents.Order(dsn=world.dsn, tasks=tasks, seconds=api.seconds)
    warm_up = attrs.evolve(order, seconds=min(WARM_UP_SECONDS, api.seconds))
    warm = Outcome(**errand(bare_intents.__name__, attrs.asdict(warm_up)))
    before = cpu_seconds(api.postmaster)
    outcome = Outcome(**errand(bare_intents.__name__, attrs.asdict(order)))
    return Metered(
        outcome=outcome,
        server_seconds=outcome.cpu_seconds,
        postgres_seconds=cpu_seconds(api.postmaster) - before,
        answers=warm.total + outcome.total,
    )


def _rows(world: World) -> dict[str, int]:
    """Count what an intent leaves behind, and the events that merchants have been told of."""
    counted = {
        table: world.count(f"select count(*) from {table}")  # noqa: S608 (names from this line's own list)
        for table in ("quote", "payment_intent", "idempotency_key", "event")
    }
    return {**counted, "event_counter": world.count("select sum(last) from event_counter")}


def _check(world: World, before: dict[str, int], created: int) -> None:
    """See to it that each answer stands for one row of each kind."""
    expect(
        "rows for the answers",
        expected={table: count + created for table, count in before.items()},
        found=_rows(world),
    )


def _newest_of(api: Api) -> str:
    """Return the path of an intent of the merchant's."""
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=10)
    try:
        headers = {"Authorization": f"Bearer {api.api_key}"}
        connection.request("GET", f"{PATH}?limit=1", headers=headers)
        page = json.load(connection.getresponse())
    finally:
        connection.close()
    return f"{PATH}/{page['data'][0]['id']}"


@contextmanager
def _on_postgres(world: World, seconds: float) -> Iterator[Api]:
    """Run the API as ``switchyard serve`` does."""
    port = free_port()
    root = world.directory.root
    file = write_settings(world.settings(port=port), root / "api.toml")
    command = ("entrypoints.cli.main", "serve", f"--settings={file}", "--stop-with-parent")
    with serving(*command, port=port, log=world.directory.logs / "api.log") as pid:
        yield Api(
            port=port,
            pid=pid,
            api_key=world.demo.api_key,
            asset=world.demo.asset,
            seconds=seconds,
            postmaster=world.postmaster(),
        )


@contextmanager
def _in_memory(world: World, seconds: float) -> Iterator[Api]:
    """Run the same API without a database."""
    port = free_port()
    root = world.directory.root
    file = write_settings(world.settings(port=port), root / "memory.toml")
    key = world.directory.keys / "memory_api_key"
    command = (memory_api.__name__, str(file), str(key))
    with serving(*command, port=port, log=world.directory.logs / "memory.log") as pid:
        yield Api(
            port=port, pid=pid, api_key=key.read_text(), asset=world.demo.asset, seconds=seconds
        )
