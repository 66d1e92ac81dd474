"""What a deployment may say about TON's second source, and what is never shown of it."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.ton.settings import TonChain
from domain.shared.money import Asset, AssetId

COIN = Asset(id=AssetId("ton:-3/slip44:607"), symbol="GRAM", decimals=9)
KEY = "a-key-of-nobody"


def chain(**told: Any) -> TonChain:  # noqa: ANN401 (a setting's)
    return TonChain(config={"liteservers": []}, native=COIN, **told)


def test_there_need_be_none() -> None:
    assert chain().toncenter_url is None
    assert chain().toncenter_key is None


def test_its_address_and_key_are_not_shown() -> None:
    told = chain(toncenter_url=f"https://example.org/{KEY}", toncenter_key=KEY)
    assert told.toncenter_key == KEY
    assert KEY not in repr(told)


@pytest.mark.parametrize(
    "told",
    [
        {"toncenter_url": f"ftp://{KEY}"},
        {"toncenter_url": f"https://example.org/{KEY} "},
        {"toncenter_url": "https://example.org", "toncenter_key": ""},
        {"toncenter_url": "https://example.org", "toncenter_key": f"{KEY}\n"},
        {"toncenter_url": "https://example.org", "toncenter_key": f"{KEY}\u00e9"},
        {"toncenter_url": "http://example.org", "toncenter_key": KEY},
        {"toncenter_key": KEY},
        {"stale_seconds": 0},
        {"lag_blocks": 0},
        {"toncenter_seconds": 0},
    ],
)
def test_what_cannot_be_meant_is_refused_and_not_repeated(told: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 (its words are ours and attrs')
        chain(**told)
    assert KEY not in str(refusal.value)
