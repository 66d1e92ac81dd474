"""Endpoints: what they want, how they rest, and when they are switched off."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.webhooks.endpoint import (
    FAILING_MAX,
    PING,
    REST_ASKED_MAX,
    REST_FIRST,
    REST_MAX,
    Disabled,
    SecretStillRotating,
)
from domain.webhooks.model import Try
from tests.builders import NOON, an_endpoint, an_event

if TYPE_CHECKING:
    from domain.webhooks.endpoint import Endpoint

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
ACCEPTED = Try(at=NOON, status=200, detail="")
REFUSED = Try(at=NOON, status=500, detail="")
SILENT = Try(at=NOON, status=None, detail="no answer")


@pytest.mark.parametrize(
    ("wanted", "type", "is_told"),
    [
        ("payout.*", "payout.confirmed", True),
        ("payout.*", "payout", False),
        ("payout.*", "payouts.confirmed", False),
        ("payout.confirmed", "payout.confirmed", True),
        ("payout.confirmed", "payout.confirmed.twice", False),
        ("payout", "payout.confirmed", False),
    ],
)
def test_a_type_is_wanted_by_name_or_by_its_beginning(
    wanted: str, type: str, *, is_told: bool
) -> None:
    assert an_endpoint(types=frozenset({wanted, "other.thing"})).wants(type) == is_told


def test_every_endpoint_is_told_where_money_is_about_to_go() -> None:
    notice = attrs.evolve(an_event("pdc_01"), type="payout_destination.change_requested")
    picky = an_endpoint(types=frozenset({"payment_intent.*"}))
    assert picky.is_told(notice)
    assert not picky.disable(Disabled.BY_HAND).is_told(notice)


def test_a_ping_is_for_one_endpoint_whatever_it_wants() -> None:
    ping = attrs.evolve(an_event("we_01"), type=PING)

    assert an_endpoint(types=frozenset({"payout.*"})).is_told(ping)
    assert not an_endpoint("we_02").is_told(ping)
    assert not an_endpoint(enabled=False).is_told(ping)


class TestRotation:
    def test_the_former_secret_signs_until_its_end(self) -> None:
        rotated = an_endpoint(secret="whsec_old").rotate("whsec_new", at=NOON, overlap=HOUR)

        assert rotated.secret == "whsec_new"
        assert rotated.former(at=NOON + HOUR - SECOND) == "whsec_old"
        assert rotated.former(at=NOON + HOUR) is None

    def test_there_is_no_place_for_a_third(self) -> None:
        rotated = an_endpoint().rotate("whsec_new", at=NOON, overlap=HOUR)

        with pytest.raises(SecretStillRotating) as refusal:
            rotated.rotate("whsec_newer", at=NOON + SECOND, overlap=HOUR)
        assert refusal.value.until == NOON + HOUR
        assert rotated.rotate("whsec_newer", at=NOON + HOUR, overlap=HOUR).secret == "whsec_newer"

    def test_after_a_leak_all_others_end_at_once(self) -> None:
        rotated = an_endpoint().rotate("whsec_new", at=NOON, overlap=HOUR)
        safe = rotated.rotate("whsec_newer", at=NOON + SECOND, overlap=timedelta())

        assert safe.former(at=NOON + SECOND) is None
        assert safe.former_secret is None

    def test_no_secret_is_shown(self) -> None:
        assert "whsec" not in repr(an_endpoint().rotate("whsec_new", at=NOON, overlap=HOUR))


def after(endpoint: Endpoint, *silences: timedelta) -> Endpoint:
    for at in silences:
        endpoint = endpoint.hear([SILENT], at=NOON + at)
    return endpoint


class TestRest:
    def test_who_is_silent_rests_twice_as_long_each_time(self) -> None:
        endpoint, at, rests = an_endpoint(), NOON, []
        for _ in range(9):
            endpoint = endpoint.hear([SILENT], at=at)
            assert endpoint.rest_until is not None
            rests.append(endpoint.rest_until - at)
            at = endpoint.rest_until

        assert rests[:3] == [REST_FIRST, 2 * REST_FIRST, 4 * REST_FIRST]
        assert rests[-1] == REST_MAX
        assert endpoint.silences == 9

    def test_what_was_under_way_already_says_nothing_new(self) -> None:
        resting = after(an_endpoint(), SECOND)

        assert after(resting, 2 * SECOND) == resting

    def test_one_answer_ends_it(self) -> None:
        resting = after(an_endpoint(), SECOND, HOUR)

        assert resting.hear([SILENT, ACCEPTED], at=NOON + 2 * HOUR) == an_endpoint()

    @pytest.mark.parametrize("status", [429, 503])
    def test_who_asks_for_a_pause_has_it(self, status: int) -> None:
        asked = Try(at=NOON, status=status, detail="", retry_after_seconds=90)

        assert an_endpoint().hear([asked], at=NOON).rest_until == NOON + 90 * SECOND

    def test_no_pause_is_endless(self) -> None:
        asked = Try(at=NOON, status=429, detail="", retry_after_seconds=10**9)

        assert an_endpoint().hear([asked], at=NOON).rest_until == NOON + REST_ASKED_MAX

    @pytest.mark.parametrize("status", [200, 400, 500])
    def test_others_may_not_ask(self, status: int) -> None:
        asked = Try(at=NOON, status=status, detail="", retry_after_seconds=90)

        assert an_endpoint().hear([asked], at=NOON).rest_until is None


class TestEnd:
    def test_who_is_gone_is_switched_off(self) -> None:
        off = an_endpoint().hear([Try(at=NOON, status=410, detail="")], at=NOON)

        assert (off.enabled, off.disabled_reason) == (False, Disabled.GONE)

    @pytest.mark.parametrize("tried", [REFUSED, SILENT])
    def test_who_only_fails_is_switched_off_after_days(self, tried: Try) -> None:
        failing = an_endpoint().hear([tried], at=NOON)
        assert failing.failing_since == NOON

        still = failing.hear([tried], at=NOON + FAILING_MAX - SECOND)
        assert still.enabled
        off = still.hear([tried], at=NOON + FAILING_MAX)
        assert (off.enabled, off.disabled_reason) == (False, Disabled.FAILING)

    def test_one_success_begins_the_days_anew(self) -> None:
        failing = an_endpoint().hear([REFUSED], at=NOON).hear([ACCEPTED], at=NOON + HOUR)

        assert failing.failing_since is None
        later = attrs.evolve(REFUSED, at=NOON + FAILING_MAX)
        assert failing.hear([later], at=NOON + FAILING_MAX).enabled

    def test_switched_on_again_it_has_never_failed(self) -> None:
        off = an_endpoint().hear([SILENT], at=NOON).disable(Disabled.FAILING)

        assert off.enable() == an_endpoint()
        assert off.hear([ACCEPTED], at=NOON) == off
