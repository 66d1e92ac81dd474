from __future__ import annotations

import pytest

from adapters.memory.signing_journal import MemorySigningJournal
from tests.contracts.signing_journal import SigningJournalContract


class TestMemory(SigningJournalContract):
    @pytest.fixture
    def journal(self) -> MemorySigningJournal:
        return MemorySigningJournal()
