"""The merchant of the story: calls the API, pulls the event feed, and listens to webhooks."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import attrs
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from entrypoints.cli.story.timeline import StoryFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

EVENT_SECONDS = 60
"""How long the story waits for something to happen."""


@attrs.define
class Merchant:
    """A client of the API, with one key."""

    session: aiohttp.ClientSession
    after: int = 0
    """The last event that was pulled."""
    events: list[dict[str, Any]] = attrs.field(factory=list)

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: dict[str, object] | None = None,
        key: str | None = None,
        status: int = 200,
    ) -> dict[str, Any]:
        """Call the API and return what it answers.

        Raises:
            StoryFailed: it answers with another status.
        """
        headers = {"Idempotency-Key": key} if key else {}
        async with self.session.request(method, path, json=body, headers=headers) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            if response.status != status:
                raise StoryFailed(f"{method} {path}", status, (response.status, answer))
            return answer

    async def event(
        self, type: str, *, when: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """Wait for an event whose object fits, pulled from the feed; return the object.

        Raises:
            StoryFailed: it does not come.
        """
        deadline = time.monotonic() + EVENT_SECONDS
        looked_at = 0
        while time.monotonic() < deadline:
            await self.pull()
            for event in self.events[looked_at:]:
                data: dict[str, Any] = event["data"]
                if event["type"] == type and when(data):
                    return data
            looked_at = len(self.events)
            await asyncio.sleep(0.05)
        seen = [event["type"] for event in self.events[-8:]]
        raise StoryFailed(f"event {type}", "to come", f"only {seen}")

    async def pull(self) -> None:
        """Pull what is new in the feed.

        Raises:
            StoryFailed: the sequence has a gap.
        """
        page = await self.call("GET", f"/v1/events?after={self.after}&limit=100")
        for event in page["data"]:
            if event["sequence"] != self.after + 1:
                raise StoryFailed("event sequence", self.after + 1, event["sequence"])
            self.after = event["sequence"]
            self.events.append(event)


@attrs.define
class Sink:
    """A server that takes webhooks and believes none without a valid signature."""

    url: str = ""
    secret: str = ""
    accepted: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    forged: int = 0

    async def take(self, request: web.Request) -> web.Response:
        """Take one message."""
        body = await request.read()
        try:
            Webhook(self.secret).verify(body, dict(request.headers), json_parse=False)
        except WebhookVerificationError:
            self.forged += 1
            return web.Response(status=401)
        event = json.loads(body)
        self.accepted[event["id"]] = event
        return web.Response(status=204)


@asynccontextmanager
async def listening() -> AsyncIterator[Sink]:
    """Run a sink on a free port of this machine."""
    sink = Sink()
    app = web.Application()
    app.router.add_post("/webhooks", sink.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sink.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks"
    try:
        yield sink
    finally:
        await runner.cleanup()


@asynccontextmanager
async def calling(api_url: str, api_key: str) -> AsyncIterator[Merchant]:
    """Call the API with a key."""
    headers = {"Authorization": f"Bearer {api_key}"}
    async with aiohttp.ClientSession(api_url, headers=headers) as session:
        yield Merchant(session)
