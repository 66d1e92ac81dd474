"""The whole gateway behind its HTTP API, over memory or PostgreSQL, with its chain at hand.

Everything but the storage is the testing deployment's: the clock stands until it is moved, and the
chain is in memory. Every response that a shop's client gets is held against the API's document.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from dependency_injector import providers
from httpx2 import ASGITransport, AsyncClient
from starlette.applications import Starlette

from adapters.memory.chain import InMemoryChain
from adapters.memory.clock import FakeClock
from adapters.postgres.key_ring import KeyRing
from adapters.postgres.storage import API_ROLE, PoolSettings, PostgresStorage
from config.assets import AssetSetting
from config.bootstrap import ApiServices, ApiStars
from config.chains import EvmChainSetting
from config.containers.services import Services
from config.deployments.testing import ClosableStarsBot, ClosableStorage, TestingAdapters
from config.http import Http
from config.keys import Keys
from config.lifetimes import storage_open
from config.limits import Limits
from config.settings import Database, Rate, Settings
from config.stars import Stars
from domain.escrow.model import EscrowTerms
from domain.fees.model import FeeSchedule
from domain.intents.model import DepositAddress
from domain.merchants.model import Merchant, PayoutTerms
from domain.shared.ids import IntentId
from domain.shared.money import Money, asset_id
from domain.stars.model import STARS
from entrypoints.http.app import create_app
from tests.builders import CHAIN, COIN, CONTRACT, USD, USDT, address_of
from tests.entrypoints.http.document import Document

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from httpx2 import Response

Json = dict[str, Any]

EUR = "iso4217:EUR"
MAINNET = "eip155:1"
EXAMPLE = f"{MAINNET}/slip44:60"
"""The asset of the document's examples; nothing happens on its chain."""
ELSEWHERE = f"eip155:5/erc20:0x{'7' * 40}"
"""A token that is on the allow-list, of a chain on which the gateway is not."""
HOT_WALLET, TREASURY = address_of("hot wallet"), address_of("treasury")
FEE_BPS = 100
PAYER = address_of("payer")
SEALING = KeyRing([bytes(range(32))])
"""Seals secrets in the databases of tests."""
_KNOWN_ASSETS = (
    AssetSetting(USD.id, "USD", 2),
    AssetSetting(EUR, "EUR", 2),
    AssetSetting(USDT.id, "USDT", 18, peg=USD.id),
    AssetSetting(COIN.id, "ETH", 18),
    AssetSetting(ELSEWHERE, "USDX", 6),
    AssetSetting(EXAMPLE, "ETH", 18),
    AssetSetting(STARS, "XTR", 0),
)


def _chain(name: str) -> EvmChainSetting:
    return EvmChainSetting(
        id=name,
        rpc_url="http://127.0.0.1:1",
        escrow_contract=CONTRACT,
        hot_wallet=HOT_WALLET,
        treasury=TREASURY,
        first_block=0,
        mode="test",
        devnet=name == CHAIN,
    )


SETTINGS = Settings(
    deployment="testing",
    database=Database(url="unused"),
    http=Http(cursor_key="a key of tests that signs cursors"),
    keys=Keys(xpub="deposits"),
    assets=_KNOWN_ASSETS,
    chains=(_chain(CHAIN), _chain(MAINNET)),
    stars=Stars(bot_token_file=Path("unused"), mode="polling", test_environment=True),
    # The clock stands still, so that no window comes to its end.
    limits=Limits(reads=10**6, writes=10**6),
    # Of the coin nobody knows a rate.
    rates=tuple(
        Rate(source, asset, USD.id, rate)
        for asset, rate in ((USDT.id, "1"), (EXAMPLE, "1800.25"), (STARS, "0.02"))
        for source in ("north", "south", "west")
    ),
)


@attrs.frozen(kw_only=True)
class Shop:
    """A merchant, and a client that calls the API with his key."""

    merchant: Merchant
    key: str
    http: AsyncClient

    async def intent(self, **changes: object) -> Json:
        """Create a payment intent: 25 USD to be paid in USDT, unless told otherwise."""
        body = {"method": "escrow", "price": price(2500), "asset": USDT.id, **changes}
        return told(await self.http.post("/v1/payment_intents", json=body), 201)

    async def get(self, path: str, **query: object) -> Json:
        """Return what there is at a path."""
        return told(await self.http.get(path, params={k: str(v) for k, v in query.items()}), 200)

    async def events(self) -> list[Json]:
        """Return every event of the merchant's so far, in order."""
        found: list[Json] = []
        while True:
            after = found[-1]["sequence"] if found else 0
            page = await self.get("/v1/events", after=after, limit=100)
            found += page["data"]
            if not page["has_more"]:
                return found

    async def newest_events(self) -> dict[str, Json]:
        """Return the newest event's data of each object, by the object's id."""
        return {event["data"]["id"]: event["data"] for event in await self.events()}

    async def available(self) -> int:
        """Return how much USDT can be paid out."""
        balances = (await self.get("/v1/balances"))["data"]
        [row] = [each for each in balances if each["available"]["asset"] == USDT.id]
        return int(row["available"]["amount"])


@attrs.frozen(kw_only=True)
class Gateway:
    """The gateway, two shops, and the world's verbs."""

    app: Starlette
    api: ApiServices
    services: Services
    storage: ClosableStorage | PostgresStorage
    api_storage: ClosableStorage | PostgresStorage
    """The same, as the API's process has it."""
    chain: InMemoryChain
    bot: ClosableStarsBot
    clock: FakeClock
    document: Document
    ada: Shop
    bob: Shop

    @property
    def locks_rows(self) -> bool:
        """Whether units of work wait for each other's rows only, and not for each other."""
        return isinstance(self.storage, PostgresStorage)

    async def watch(self) -> None:
        """Make all that waits on the chain final, and read it."""
        self.chain.mine()
        self.chain.finalize()
        watcher = self.services.watcher()
        for _ in range(10):
            if not (await watcher.watch(chain=CHAIN)).behind:
                return
        raise AssertionError("the chain was not read to its end")

    async def send(self) -> None:
        """Sign and send the gateway's own transactions, and read that they are final."""
        await self.services.sender().send(chain=CHAIN)
        await self.watch()

    async def pay(self, intent: Json, amount: int | None = None) -> None:
        """Pay an intent (in full unless told otherwise) for good."""
        await self.begin_to_pay(intent, amount)
        await self.watch()

    async def begin_to_pay(self, intent: Json, amount: int | None = None) -> str:
        """Have a payment wait to come into a block; return its transaction's hash."""
        async with self.storage.begin() as work:
            found = await work.intents.get(IntentId(intent["id"]), owner=None)
        money = Money(amount or found.due.amount, found.due.asset)
        if isinstance(found.pay_to, EscrowTerms):
            self.chain.fund(PAYER, money)
            return self.chain.pay_escrow(found.pay_to, payer=PAYER)
        assert isinstance(found.pay_to, DepositAddress)
        return self.chain.fund(found.pay_to.address, money)

    async def terms(self, intent: Json) -> EscrowTerms:
        """Return the terms of the escrow of an intent of Ada's."""
        async with self.storage.begin() as work:
            escrow = await work.escrows.of_intent(
                IntentId(intent["id"]), owner=self.ada.merchant.id
            )
        return escrow.terms

    async def held(self) -> Json:
        """Return a new intent of Ada's whose money the contract holds."""
        intent = await self.ada.intent()
        await self.pay(intent)
        return intent

    async def everything(self) -> object:
        """Return what must not change when a request is refused: books, objects and events."""
        async with self.storage.begin() as work:
            books = await work.ledger.balances(prefix="")
            merchants = await work.merchants.all()
            owned = [
                (
                    await work.intents.list(owner=merchant.id, before=None, limit=1000),
                    await work.customers.list(
                        owner=merchant.id, customer=None, before=None, limit=1000
                    ),
                    await work.settlements.list(owner=merchant.id, limit=1000),
                    await work.events.after(owner=merchant.id, sequence=0, limit=1000),
                )
                for merchant in merchants
            ]
        return books, owned


def price(cents: int | str, asset: str = USD.id) -> Json:
    """Return a price as it is sent."""
    return {"asset": asset, "amount": str(cents)}


def told(response: Response, status: int) -> Json:
    """Return what a response tells, which must have a status."""
    assert response.status_code == status, response.text
    answer: Json = response.json()
    return answer


def refusal(response: Response) -> tuple[int, str]:
    """Return a problem's status and the last part of its type."""
    problem = told(response, response.status_code)
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == response.status_code
    return response.status_code, problem["type"].removeprefix("/problems/")


@asynccontextmanager
async def opened(*, dsn: str | None = None, ring: KeyRing | None = None) -> AsyncIterator[Gateway]:
    """Open a gateway with two merchants, in memory or over a PostgreSQL database.

    In the database the API sees what it sees in a process of its own, and the rest sees all.
    Secrets are sealed there, by a ring of tests unless there is another.
    """
    adapters, clock = TestingAdapters(settings=SETTINGS), FakeClock()
    adapters.clock.override(providers.Object(clock))
    services = Services(settings=SETTINGS, adapters=adapters)
    api_storage: ClosableStorage | PostgresStorage = adapters.storage()
    if dsn is not None:
        pool = PoolSettings(connections_min=1, connections_max=4, lock_timeout_ms=20_000)
        storage = PostgresStorage(
            dsn=dsn, clock=clock, ids=adapters.ids(), settings=pool, ring=ring or SEALING
        )
        adapters.storage.override(providers.Object(storage))
        api_storage = attrs.evolve(storage, settings=attrs.evolve(pool, role=API_ROLE))
    with adapters.storage.override(providers.Object(api_storage)):
        api = api_services(services)
    app = create_app(api)
    chain = adapters.chains()[CHAIN]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        if dsn is not None:
            await stack.enter_async_context(storage_open(services.adapters.storage()))
        document = Document.of(app)
        chain.fund(HOT_WALLET, Money(10**18, COIN.id))
        chain.mine()
        await services.books().book_gas(chain=CHAIN)
        yield Gateway(
            app=app,
            api=api,
            services=services,
            storage=adapters.storage(),
            api_storage=api_storage,
            chain=chain,
            bot=adapters.stars_bot(),
            clock=clock,
            document=document,
            ada=await _shop("Ada's bicycles", services, app, document, stack),
            bob=await _shop("Bob's books", services, app, document, stack),
        )


def api_services(services: Services) -> ApiServices:
    """Return what the API stands on, out of a container that a test has its hands on."""
    return ApiServices(
        assets=services.adapters.assets(),
        cursor_key=SETTINGS.http.cursor_key.encode(),
        merchants=services.merchants(),
        intents=services.intents(),
        customers=services.customers(),
        explaining=services.explaining(),
        escrows=services.escrows(),
        settlements=services.settlements(),
        destinations=services.destinations(),
        books=services.books(),
        webhooks=services.webhooks(),
        webhook_endpoints=services.webhook_endpoints(),
        stars=ApiStars(service=services.stars(), webhook=None),
        usage=services.usage(),
        audit=services.audit(),
        limits=services.limits(),
        network_fees=services.network_fees(),
        sandbox=services.sandbox(),
        resources=[storage_open(services.adapters.storage()), services.adapters.publisher()],
    )


async def _shop(
    name: str, services: Services, app: Starlette, document: Document, stack: AsyncExitStack
) -> Shop:
    merchant = await services.merchants().register(
        name=name,
        fees=FeeSchedule(FEE_BPS),
        payouts=PayoutTerms(
            destinations={CHAIN: address_of(name)}, minimums={asset_id(COIN.id): 1}
        ),
    )
    key = await services.merchants().issue_key(merchant_id=merchant.id)
    client = client_of(app, document, headers={"Authorization": f"Bearer {key}"})
    return Shop(merchant=merchant, key=key, http=await stack.enter_async_context(client))


def client_of(
    app: Starlette,
    document: Document,
    *,
    headers: Mapping[str, str] | Mapping[bytes, bytes],
) -> AsyncClient:
    """Return a client of the API; each response it gets must be as the document says."""

    async def check(response: Response) -> None:
        await response.aread()
        document.must_describe(response)

    return AsyncClient(
        transport=ASGITransport(app),
        base_url="http://api.example",
        headers=headers,
        event_hooks={"response": [check]},
    )
