"""The world of the crash tests: a real PostgreSQL, a real EVM, a merchant's server, one worker.

Everything is made once; each story brings a merchant and a payment of its own. The hours that
stories take are not waited for: ``pass_time`` moves the clocks of gateway and chain.
"""

from __future__ import annotations

import secrets
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import attrs
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from adapters.evm.deploy import Deployer
from adapters.evm.devnet.accounts import devnet_accounts
from adapters.evm.devnet.devnet import Devnet
from adapters.notify.webhooks import WebhookPublisher
from config.bootstrap import ApiServices, OperatorServices, api, operator
from config.demo.parts import DEPLOYER, payer
from config.demo.provisioning import provision
from config.demo.record import Demo, Directory, Ports
from config.demo.running import settings_of
from config.settings import Worker as WorkerSettings
from config.settings import structure
from domain.fees.model import FeeSchedule
from domain.intents.service import PriceIn
from domain.merchants.model import PayoutTerms
from domain.shared.money import AssetId, Money
from tests.adapters.notify.merchant_server import MerchantServer, listening
from tests.crashes.outside import DUE, Outside
from tests.crashes.worker import MovedClock, Stretch, WorkerProcess, living_by

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from domain.intents.model import Method, PaymentIntent
    from domain.merchants.model import Merchant
    from domain.shared.money import ChainId
    from tests.crashes.worker import Request


PRICE = 2500
"""25.00 USD in cents."""
FEE_BPS = 100
NET = DUE - DUE * FEE_BPS // 10_000
"""What is left for the merchant of an intent, in the token's smallest unit."""

PACE_SECONDS = 60
"""How often each schedule comes back, by the moved clock."""
NEVER_SECONDS = 10**9
"""The pace of schedules that a story asks for by itself."""


@attrs.define(kw_only=True)
class World:
    """Who takes part, and verbs for what they do."""

    demo: Demo
    dsn: str
    settings: dict[str, object]
    database: AsyncConnection[TupleRow]
    """A view past the product, at the rows themselves."""
    outside: Outside
    clock: MovedClock
    api: ApiServices
    operator: OperatorServices
    shop: MerchantServer
    _worker: WorkerProcess | None = None
    _next_worker: WorkerProcess | None = None
    """It stands by, so that nobody waits for it to start; until told to, it does nothing."""

    @property
    def chain(self) -> ChainId:
        return self.operator.chains[0]

    @property
    def asset(self) -> AssetId:
        return AssetId(self.demo.asset)

    # What merchants do.

    async def merchant(self, *, paid_at: str | None = None) -> Merchant:
        """Take a merchant on whose server is told of everything."""
        merchant = await self.operator.merchants.register(
            name="Ada's bicycles",
            fees=FeeSchedule(FEE_BPS),
            payouts=PayoutTerms(destinations={self.chain: paid_at} if paid_at else {}),
        )
        await self.operator.webhooks.register(owner=merchant.id, url=self.shop.url)
        return merchant

    async def intent(self, merchant: Merchant, method: Method) -> PaymentIntent:
        """Create an intent of 25.00 USD."""
        return await self.api.intents.create(
            merchant=merchant,
            method=method,
            offer=PriceIn(Money(PRICE, AssetId("iso4217:USD")), self.asset),
        )

    async def now(self, intent: PaymentIntent) -> PaymentIntent:
        return await self.api.intents.get(owner=intent.merchant_id, intent_id=intent.id)

    async def pay(self, intent: PaymentIntent) -> None:
        """Pay an intent as its payer's wallet would; a block takes it in at once."""
        calls = await self.api.intents.wallet_calls(owner=intent.merchant_id, intent_id=intent.id)
        if calls:  # The payer has approved the contract for good; what is left is to pay.
            await self.outside.call(calls[-1].target, calls[-1].data)
        else:
            await self.outside.transfer(intent.pay_to.address)  # type: ignore[union-attr] # It has one.

    # What time and the worker do.

    async def ask_for(self, job: str, **arguments: str) -> None:
        """Let a job be due now, once, as its schedule would."""
        async with self.operator.books.begin() as work:
            await work.jobs.enqueue(job, arguments=arguments)
            await work.commit()

    async def pass_time(self, seconds: float) -> None:
        self.clock.ahead += timedelta(seconds=seconds)
        await self.outside.pass_time(int(seconds))

    async def end_leases(self) -> None:
        """Let every lease be over: they go by the database's clock, which no test moves."""
        ended = "update job set lease_until = now() where lease_until > now()"
        await self.database.execute(ended)

    async def work(
        self,
        *requests: Request,
        again: bool = False,
        starts: bool = False,
        deadly: str | None = None,
    ) -> list[str] | None:
        """Have the worker work until nothing is due; return its steps, or None if it has died.

        A new worker starts by seeing to the schedules; so does an old one if it ``starts`` again.
        """
        worker = self._worker or self._next_worker or WorkerProcess.start(self.settings)
        if self._worker is None:
            self._next_worker = WorkerProcess.start(self.settings)
        stretch = Stretch(
            ahead=self.clock.ahead,
            requests=requests,
            again=again,
            starts=starts or self._worker is None,
            deadly=deadly,
        )
        self._worker = None
        steps = await worker.work(stretch)
        if steps is not None:
            self._worker = worker
        return steps

    async def go_on(self, *requests: Request) -> list[str]:
        """Let a while pass, so that every schedule is due, and let a worker work undisturbed."""
        await self.pass_time(PACE_SECONDS + 1)
        steps = await self.work(*requests)
        assert steps is not None
        return steps

    def kill_worker(self) -> None:
        """End the worker, if there is one, as it is."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def close(self) -> None:
        """End every worker."""
        self.kill_worker()
        if self._next_worker is not None:
            self._next_worker.kill()
            self._next_worker = None


def new_address() -> str:
    """Return an address that nobody has a key of, nor ever used."""
    return "0x" + secrets.token_hex(20)


def settings_for(demo: Demo, directory: Directory, dsn: str) -> dict[str, object]:
    """Return the settings of a worker whose schedules keep the pace of these tests."""
    settings = settings_of(
        demo, directory=directory, dsn=dsn, ports=Ports(api=0, devnet=0), brisk=False, signs=True
    )
    pace = {
        field.name: NEVER_SECONDS
        for field in attrs.fields(WorkerSettings)
        if field.name.endswith("_every_seconds")
    }
    for name in ("watch", "hand_over", "deliver", "expire", "seal"):
        pace[f"{name}_every_seconds"] = PACE_SECONDS
    settings["worker"] = pace
    return called_directly(settings)


def called_directly(settings: dict[str, object]) -> dict[str, object]:
    """Have the API's services run as the database's owner: nothing here says who acts."""
    database = cast("dict[str, object]", settings["database"])
    return {**settings, "database": {**database, "keep_merchants_apart": False}}


async def swept_together(settings: dict[str, object], demo: Demo) -> dict[str, object]:
    """Put a collector on the chain, and have it sweep many deposit addresses at once."""
    async with Deployer(demo.rpc_url, devnet_accounts()[DEPLOYER].private_key) as deployer:
        collector = await deployer.deploy_collector(destination=demo.hot_wallet)
    [chain] = cast("list[dict[str, object]]", settings["chains"])
    by = {"sweep_by": "delegation", "collector_contract": collector.address}
    return {**settings, "chains": [{**chain, **by}]}


@asynccontextmanager
async def new_world(root: Path, dsn: str, *, together: bool = False) -> AsyncIterator[World]:
    """Make a world on a database that has the newest schema and nothing in it.

    ``together`` says whether one transaction of the hot wallet's sweeps many addresses.
    """
    directory, clock = Directory(root), MovedClock()
    directory.prepare()
    async with AsyncExitStack() as stack:
        devnet = await stack.enter_async_context(Devnet())
        demo = await provision(
            directory, rpc_url=devnet.url, dsn=dsn, ports=Ports(api=0, devnet=0)
        )
        settings = settings_for(demo, directory, dsn)
        if together:
            settings = await swept_together(settings, demo)
        with living_by(clock):
            structured = structure(settings)
            for_api, for_operator = api(structured), operator(structured)
        for resource in (*for_api.resources, *for_operator.resources):
            await stack.enter_async_context(resource)
        outside = Outside(
            demo=demo, devnet=devnet, payer=await stack.enter_async_context(payer(demo, 0))
        )
        await outside.fill_purse()
        publisher = WebhookPublisher(timeout_seconds=1, allow_private_addresses=True)
        world = World(
            demo=demo,
            dsn=dsn,
            settings=settings,
            database=await stack.enter_async_context(
                await AsyncConnection.connect(dsn, autocommit=True)
            ),
            outside=outside,
            clock=clock,
            api=for_api,
            operator=for_operator,
            shop=await stack.enter_async_context(listening(publisher)),
        )
        stack.callback(world.close)
        yield world
