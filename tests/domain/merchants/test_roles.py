"""Who may do what for a merchant, and who decides that."""

from __future__ import annotations

import pytest

from domain.merchants.roles import LastOwner, Member, NotAllowedToAppoint, Role, Team
from domain.merchants.scopes import Scope
from domain.shared.ids import UserId
from tests.builders import MERCHANT

OLIVE, ADAM, DORA, SVEN = (UserId(f"usr_{name}") for name in ("olive", "adam", "dora", "sven"))
TEAM = Team(MERCHANT, {OLIVE: Role.OWNER, ADAM: Role.ADMIN, DORA: Role.DEVELOPER})
OUTGOING = {
    *(Scope.REFUNDS_WRITE, Scope.PAYOUT_DESTINATIONS_WRITE, Scope.PAYOUT_DESTINATIONS_APPROVE)
}


def allowed(role: Role) -> set[Scope]:
    return {scope for scope in Scope if Member(OLIVE, role).may(scope)}


def test_owners_may_do_everything() -> None:
    assert allowed(Role.OWNER) == {*Scope}


def test_admins_may_do_all_but_approve_where_money_goes() -> None:
    approving = {Scope.PAYOUT_DESTINATIONS_APPROVE, Scope.EVERYTHING}
    assert allowed(Role.ADMIN) == {*Scope} - approving


def test_developers_move_no_money_out_and_do_not_read_who_did_what() -> None:
    others = {Scope.AUDIT_READ, Scope.EVERYTHING}
    assert allowed(Role.DEVELOPER) == {*Scope} - OUTGOING - others


def test_support_gives_money_back_and_sees_no_balance() -> None:
    assert allowed(Role.SUPPORT) == {
        *(Scope.PAYMENT_INTENTS_READ, Scope.CUSTOMERS_READ, Scope.DEPOSITS_READ),
        *(Scope.EVENTS_READ, Scope.REFUNDS_WRITE),
    }


def test_viewers_change_nothing_and_see_no_key() -> None:
    seen = allowed(Role.VIEWER)
    assert all(scope.endswith(":read") for scope in seen)
    assert seen & {Scope.KEYS_READ, Scope.WEBHOOKS_READ} == set()


def test_owners_decide_about_everybody() -> None:
    team = TEAM.appoint(SVEN, Role.OWNER, by=OLIVE).appoint(OLIVE, Role.VIEWER, by=SVEN)
    assert team.roles == {**TEAM.roles, SVEN: Role.OWNER, OLIVE: Role.VIEWER}


def test_admins_decide_about_all_but_owners() -> None:
    assert TEAM.appoint(SVEN, Role.ADMIN, by=ADAM).roles[SVEN] is Role.ADMIN
    assert DORA not in TEAM.appoint(DORA, None, by=ADAM).roles
    for who, role in ((SVEN, Role.OWNER), (OLIVE, Role.VIEWER), (OLIVE, None)):
        with pytest.raises(NotAllowedToAppoint):
            TEAM.appoint(who, role, by=ADAM)


@pytest.mark.parametrize("by", [DORA, SVEN])
def test_nobody_else_decides(by: UserId) -> None:
    with pytest.raises(NotAllowedToAppoint):
        TEAM.appoint(SVEN, Role.VIEWER, by=by)


def test_an_operator_decides_about_everybody_and_begins_with_an_owner() -> None:
    nobody = Team(MERCHANT, {})
    with pytest.raises(LastOwner):
        nobody.appoint(ADAM, Role.ADMIN, by=None)
    team = nobody.appoint(OLIVE, Role.OWNER, by=None).appoint(ADAM, Role.ADMIN, by=None)
    assert team.roles == {OLIVE: Role.OWNER, ADAM: Role.ADMIN}
    with pytest.raises(LastOwner):
        team.appoint(OLIVE, None, by=None)


@pytest.mark.parametrize("role", [Role.ADMIN, None])
def test_the_last_owner_stays(role: Role | None) -> None:
    with pytest.raises(LastOwner):
        TEAM.appoint(OLIVE, role, by=OLIVE)
