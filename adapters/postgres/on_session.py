"""What the parts of one port's adapter stand on, so that a class can be made of several."""

from __future__ import annotations

import attrs

from adapters.postgres.session import Session


@attrs.frozen
class OnSession:
    """Something that reads and writes in one session."""

    _session: Session
