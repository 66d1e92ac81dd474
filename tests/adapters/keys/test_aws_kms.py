"""The key of AWS's service, played by moto: no request leaves this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]  # It ships no types.
import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]  # As above.
from moto import mock_aws

from adapters.keys.aws_kms import AwsKmsKeyWrapper
from adapters.keys.keystore import Keystore, KeystoreRefused
from ports.key_wrapper import KeyWrapperUnavailable
from tests.adapters.keys.test_keystore import HOT, SECRET
from tests.contracts.key_wrapper import CONTEXT, DATA_KEY, KeyWrapperContract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ports.key_wrapper import KeyWrapper

REGION = "eu-central-1"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A made-up account; returns a client of it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    with mock_aws():
        yield boto3.client("kms", region_name=REGION)


def wrapper_of(aws: Any) -> AwsKmsKeyWrapper:  # noqa: ANN401 (it ships no types)
    key = aws.create_key()["KeyMetadata"]["Arn"]
    return AwsKmsKeyWrapper("kms", key=key, region=REGION, timeout_seconds=1)


class TestKms(KeyWrapperContract):
    @pytest.fixture
    def wrapper(self, aws: Any) -> KeyWrapper:  # noqa: ANN401 (as above)
        return wrapper_of(aws)

    @pytest.fixture
    def other(self, aws: Any) -> KeyWrapper:  # noqa: ANN401 (as above)
        return wrapper_of(aws)

    def test_another_key_opens_nothing(self, wrapper: KeyWrapper, other: KeyWrapper) -> None:
        """AWS insists on the key that is named. moto does not: that it is named has to do."""
        assert isinstance(wrapper, AwsKmsKeyWrapper)
        assert isinstance(other, AwsKmsKeyWrapper)
        named: list[str] = []
        wrapper._client.meta.events.register(
            "provide-client-params.kms.Decrypt",
            lambda params, **_: named.append(params["KeyId"]),
        )

        wrapper.unwrap(wrapper.wrap(DATA_KEY, context=CONTEXT), context=CONTEXT)

        assert named == [wrapper._key]
        assert wrapper._key != other._key

    def test_what_was_changed_does_not_open(self, wrapper: KeyWrapper) -> None:
        wrapped = wrapper.wrap(DATA_KEY, context=CONTEXT)
        for each in (wrapped[:-1], wrapped[:-1] + bytes([wrapped[-1] ^ 1]), b"", bytes(7_000)):
            with pytest.raises(Exception, match="kms"):
                wrapper.unwrap(each, context=CONTEXT)


def test_a_keystore_opens_by_it(aws: Any, tmp_path: Path) -> None:  # noqa: ANN401 (as above)
    keystore = Keystore(tmp_path, {"kms": wrapper_of(aws)})
    keystore.create(HOT, SECRET, wrapper="kms")

    assert keystore.open("hot") == (HOT, SECRET)
    with pytest.raises(KeystoreRefused):
        Keystore(tmp_path, {}).open("hot")


def test_a_key_that_is_not_there_is_no_verdict() -> None:
    wrapper = AwsKmsKeyWrapper("kms", key="alias/none", region=REGION, timeout_seconds=1)

    with pytest.raises(KeyWrapperUnavailable, match="NotFoundException") as refusal:
        wrapper.wrap(DATA_KEY, context=CONTEXT)

    assert refusal.value.__cause__ is None
    assert DATA_KEY.hex() not in str(refusal.value)


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "AccessDeniedException", "DisabledException", ""]
)
def test_what_aws_will_not_do_now_is_no_verdict(code: str, aws: Any) -> None:  # noqa: ANN401 (as above)
    wrapper = wrapper_of(aws)
    wrapped = wrapper.wrap(DATA_KEY, context=CONTEXT)

    def deny(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": DATA_KEY.hex()}}, "Decrypt")

    wrapper._client.meta.events.register("before-call.kms.Decrypt", deny)

    with pytest.raises(KeyWrapperUnavailable) as refusal:
        wrapper.unwrap(wrapped, context=CONTEXT)
    assert DATA_KEY.hex() not in str(refusal.value)


def test_nobody_there_is_no_verdict() -> None:
    wrapper = AwsKmsKeyWrapper(
        "kms", key="k", region=REGION, timeout_seconds=0.2, url="http://127.0.0.1:9"
    )

    with pytest.raises(KeyWrapperUnavailable):
        wrapper.wrap(DATA_KEY, context=CONTEXT)
