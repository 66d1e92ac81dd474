"""What a node's block holds beside what concerns the gateway: other people's transfers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.chains.model import Transfer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.model import Observation
    from ports.chain import Ours


async def without_strangers(
    observations: Sequence[Observation], ours: Ours | None
) -> Sequence[Observation]:
    """Leave out transfers to addresses that are not ours; none where nobody tells which are."""
    if ours is None:
        return observations
    known = await ours({it.fact.target for it in observations if isinstance(it.fact, Transfer)})
    return [
        it for it in observations if not isinstance(it.fact, Transfer) or it.fact.target in known
    ]
