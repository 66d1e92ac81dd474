"""How the providers of an EVM chain serve, out of what this process has learnt by asking them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from adapters.evm.providers import Providers
from domain.platform.model import Provider, Serving

if TYPE_CHECKING:
    from adapters.evm.providers import Provider as EvmProvider


@attrs.frozen
class EvmProviderHealth:
    """See ``ports.provider_health.ProviderHealth``."""

    providers: Providers
    clock: Callable[[], float] = time.monotonic
    """The one that the providers go by."""

    def standing(self) -> list[Provider]:
        """Return every provider and whether it is asked now, in the order of the settings."""
        return [Provider(each.name, self._serving(each)) for each in self.providers.all]

    def _serving(self, provider: EvmProvider) -> Serving:
        if provider.struck_off is not None:
            return Serving.STRUCK_OFF
        if self.clock() < provider.health.rests_until:
            return Serving.RESTING
        return Serving.LAGGING if provider.health.lags else Serving.SERVING
