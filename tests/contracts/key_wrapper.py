"""What every key that wraps keeps."""

from __future__ import annotations

import pickle
import secrets
from typing import TYPE_CHECKING

import pytest

from ports.key_wrapper import WrappedKeyRefused

if TYPE_CHECKING:
    from ports.key_wrapper import KeyWrapper

CONTEXT = {"switchyard:key": "hot", "switchyard:version": "1"}
DATA_KEY = secrets.token_bytes(32)


class KeyWrapperContract:
    @pytest.fixture
    def wrapper(self) -> KeyWrapper:
        raise NotImplementedError

    @pytest.fixture
    def other(self) -> KeyWrapper:
        """One of the same kind with another key."""
        raise NotImplementedError

    def test_what_it_wrapped_it_unwraps(self, wrapper: KeyWrapper) -> None:
        wrapped = wrapper.wrap(DATA_KEY, context=CONTEXT)

        assert wrapper.unwrap(wrapped, context=dict(reversed(CONTEXT.items()))) == DATA_KEY
        assert DATA_KEY not in wrapped
        assert wrapper.wrap(DATA_KEY, context=CONTEXT) != wrapped

    @pytest.mark.parametrize(
        "context",
        [
            {},
            CONTEXT | {"switchyard:key": "cold"},
            CONTEXT | {"more": ""},
            {"switchyard:key": "hot"},
            {"switchyard:key": '1","switchyard:version":"hot'},
        ],
    )
    def test_another_context_opens_nothing(
        self, wrapper: KeyWrapper, context: dict[str, str]
    ) -> None:
        wrapped = wrapper.wrap(DATA_KEY, context=CONTEXT)

        with pytest.raises(WrappedKeyRefused, match=wrapper.name):
            wrapper.unwrap(wrapped, context=context)

    def test_another_key_opens_nothing(self, wrapper: KeyWrapper, other: KeyWrapper) -> None:
        wrapped = other.wrap(DATA_KEY, context=CONTEXT)

        with pytest.raises(WrappedKeyRefused):
            wrapper.unwrap(wrapped, context=CONTEXT)

    def test_what_was_changed_does_not_open(self, wrapper: KeyWrapper) -> None:
        wrapped = wrapper.wrap(DATA_KEY, context=CONTEXT)
        # Every byte of it, where it is short; a sample of them, where opening takes its time.
        step = max(1, len(wrapped) // 8)
        spoilt = [
            wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :]
            for at in range(0, len(wrapped), step)
        ]

        for each in [*spoilt, wrapped[:-1], wrapped[1:], wrapped + b"\0", b"", b"\0"]:
            with pytest.raises(WrappedKeyRefused):
                wrapper.unwrap(each, context=CONTEXT)

    def test_it_shows_no_key_and_stays_in_its_process(self, wrapper: KeyWrapper) -> None:
        assert wrapper.name in repr(wrapper)
        assert "0x" not in repr(wrapper)
        with pytest.raises(TypeError):
            pickle.dumps(wrapper)
