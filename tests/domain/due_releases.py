"""Escrows that are due, and a chain that finds something wrong with releasing some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.memory.chain_state import Reverted
from domain.chains.instructions import ReleaseEscrow, ReleaseMany
from ports.chain import InstructionRefused
from tests.domain.world import terms_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from domain.chains.instructions import Instruction
    from domain.chains.submissions import Submission
    from domain.escrow.model import EscrowState, EscrowTerms
    from domain.intents.model import PaymentIntent
    from ports.chain import Prepared
    from tests.domain.world import World


async def due(world: World, count: int = 3) -> list[PaymentIntent]:
    """Return intents whose escrows are due for release, and nobody has asked for it."""
    intents = [await world.escrow_intent() for _ in range(count)]
    for intent in intents:
        world.pay_escrow(intent)
    await world.settle_down()
    world.clock.move_to(max(terms_for(it).auto_release_at for it in intents))
    return intents


async def asked(world: World, count: int = 3) -> list[PaymentIntent]:
    """Return intents whose releases are queued because they are due."""
    intents = await due(world, count)
    assert await world.services.escrows.release_due() == count
    return intents


async def states(world: World, intents: Sequence[PaymentIntent]) -> list[EscrowState]:
    return [(await world.escrow(it)).state for it in intents]


def sent(world: World) -> list[Submission]:
    """Return the submissions that were ever signed, oldest first."""
    return [it for it in world.around.store.tables.submissions if it.signed is not None]


def kept_from_ending(world: World, *intents: PaymentIntent) -> Callable[[], None]:
    """Have the contract refuse to release some; call what is returned to have it relent."""
    release, kept = world.chain.escrow.release, [terms_for(it) for it in intents]

    def refusing(terms: EscrowTerms, **by: Any) -> None:  # noqa: ANN401 (whatever it takes)
        if terms in kept:
            raise Reverted("not allowed to release")
        release(terms, **by)

    world.chain.escrow.release = refusing  # type: ignore[method-assign] # A contract with a flaw.

    def relent() -> None:
        world.chain.escrow.release = release  # type: ignore[method-assign] # As it was.

    return relent


class Choosy:
    """A chain whose trial runs fail where an escrow is released; it counts them."""

    def __init__(self, world: World, refuses: Callable[[Sequence[EscrowTerms]], bool]) -> None:
        self.trials: list[int] = []
        """How many releases each trial was of."""
        self._chain = world.chain
        self._refuses = refuses

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the chain has there)
        return getattr(self._chain, name)

    async def prepare(self, instruction: Instruction) -> Prepared:
        batch: list[EscrowTerms] = []
        if isinstance(instruction, ReleaseMany):
            batch = [it.release.terms for it in instruction.releases]
        elif isinstance(instruction, ReleaseEscrow):
            batch = [instruction.terms]
        self.trials.append(len(batch))
        if self._refuses(batch):
            raise InstructionRefused("no such release")
        return await self._chain.prepare(instruction)
