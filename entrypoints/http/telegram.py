"""What Telegram posts: one route beside the API, for nobody else and not in its document."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

import attrs
from starlette.responses import Response
from starlette.routing import Route

from domain.shared.visibility import seeing_all
from entrypoints.http.problems import ProblemType, Refusal
from entrypoints.http.request import ContentTooLarge
from ports.stars import StarsRefused, UpdateMalformed, WebhookForged

if TYPE_CHECKING:
    from starlette.requests import Request

    from domain.stars.service import StarsService
    from ports.stars import StarsWebhook

PATH = "/telegram/updates"
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 (the header's name)
UPDATE_BYTES_MAX = 1024 * 1024
"""Updates carry whole messages, so that some are far longer than requests to the API."""

log = logging.getLogger(__name__)


@attrs.frozen(eq=False)
class NotTelegram(Refusal):
    """The request does not carry the secret that Telegram was given."""

    problem: ClassVar = ProblemType(403, "not-telegram", "Not Telegram")


def telegram_route(*, webhook: StarsWebhook, stars: StarsService) -> Route:
    """Return the route to which Telegram posts updates.

    A 200 says that an update has been dealt with for good: also one that cannot be read, or an
    answer that came too late, because the same once more would change nothing. Whatever else goes
    wrong becomes a problem, and Telegram posts the update again.
    """

    async def take(request: Request) -> Response:
        secret = request.headers.get(SECRET_HEADER)
        try:
            update = webhook.read(await _body(request), secret=secret)
        except WebhookForged as error:
            raise NotTelegram from error
        except UpdateMalformed as error:
            log.exception("an update of Telegram's cannot be read", exc_info=error)
            return Response()
        if update is not None:
            try:
                # Telegram does not say whose payment it is.
                with seeing_all():
                    await stars.receive(update)
            except StarsRefused as refusal:
                log.warning("Telegram has refused an answer: %s", refusal.reason)
        return Response()

    return Route(PATH, take, methods=["POST"])


async def _body(request: Request) -> bytes:
    """Read a body.

    Raises:
        ContentTooLarge: it is longer than any update.
    """
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > UPDATE_BYTES_MAX:
            raise ContentTooLarge(UPDATE_BYTES_MAX)
    return bytes(read)
