from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.keys.aws_kms import AwsKmsKeyWrapper
from adapters.keys.extras import ExtraMissing, optional
from adapters.keys.pkcs11 import TokenKey, TokenPlace

if TYPE_CHECKING:
    from collections.abc import Callable

MADE: dict[str, Callable[[], object]] = {
    "aws": lambda: AwsKmsKeyWrapper("kms", key="k", region="eu-central-1"),
    "pkcs11": lambda: TokenKey(TokenPlace(library=Path("l"), token="t", key="k", pin="1234")),
}


@pytest.mark.parametrize(("package", "extra"), [("boto3", "aws"), ("pkcs11", "pkcs11")])
def test_a_missing_package_is_named_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ExtraMissing) as missing:
        MADE[extra]()

    assert (missing.value.extra, missing.value.package) == (extra, package)


def test_what_is_installed_is_loaded() -> None:
    assert optional("json", extra="none").dumps([]) == "[]"


def test_a_place_in_a_token_does_not_show_its_pin() -> None:
    place = TokenPlace(library=Path("l"), token="t", key="k", pin="1234")

    assert "1234" not in repr(place)
    with pytest.raises(TypeError):
        pickle.dumps(place)
