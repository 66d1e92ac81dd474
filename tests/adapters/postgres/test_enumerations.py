"""What is one of a few words comes back as the word's member: rules ask by ``is``."""

from __future__ import annotations

import json
from enum import StrEnum

import pytest

from adapters.postgres import documents
from adapters.postgres.documents import DocumentRefused
from domain.intents.attempts import Attempt, AttemptState
from domain.merchants.model import PaymentPolicy, Verdict
from tests.builders import an_attempt


@pytest.mark.parametrize("verdict", Verdict)
def test_a_policy_comes_back_with_its_verdicts(verdict: Verdict) -> None:
    policy = PaymentPolicy(overpaid=verdict, late=verdict)
    back = documents.read(json.loads(documents.write(policy)), PaymentPolicy)
    assert back.overpaid is verdict
    assert back.late is verdict


@pytest.mark.parametrize("state", AttemptState)
def test_an_attempt_comes_back_with_its_state(state: AttemptState) -> None:
    attempt = an_attempt(state=state)
    back = documents.read(json.loads(documents.write(attempt)), Attempt)
    assert back.state is state


def test_another_word_is_refused() -> None:
    with pytest.raises(ValueError, match="perhaps"):
        documents.read("perhaps", Verdict)


def test_a_member_is_a_word_and_nothing_that_becomes_one() -> None:
    class Digit(StrEnum):
        ONE = "1"

    with pytest.raises(DocumentRefused):
        documents.read(1, Digit)
