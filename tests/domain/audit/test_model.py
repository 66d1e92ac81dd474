"""Which words of requests and rows are taken for names of objects, and which never are."""

from __future__ import annotations

import pytest

from domain.audit.model import named, written


@pytest.mark.parametrize(
    "word",
    [
        "sy_live_" + "a" * 38,
        "sy_oper_token",
        "whsec_abc",
        "open sesame",
        "sesame",
        "pi_",
        "pi_1 or 1=1",
        "pi_1\n",
        "pi_" + "a" * 41,
        "",
        "key_ü",
    ],
)
def test_what_may_be_a_secret_is_no_name(word: str) -> None:
    assert named([word]) == ()


def test_names_are_those_of_objects_and_queues() -> None:
    words = ["pi_01h455vb4pex5vsknk084sn02q", "job_1", "money", "key_1"]
    assert named(words) == tuple(words)


def test_of_rows_those_are_told_that_merchants_know() -> None:
    names = ["pi_1", "tx_1", "job_1", "evt_1", ("idempotency_key", "mer_1", "pi_2"), 7, "mer_1"]
    assert written(names) == {"pi_1", "mer_1"}
