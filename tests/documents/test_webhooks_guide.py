"""The guide's Python is run as it stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.guides import MESSAGES, NOW, SECRET, blocks

if TYPE_CHECKING:
    from tests.support.guides import Message


@pytest.mark.parametrize("message", MESSAGES, ids=lambda it: it.name)
def test_the_guides_python_knows_our_messages(message: Message) -> None:
    [code] = blocks("webhooks.md", "python")
    names: dict[str, object] = {}
    exec(compile(code, "webhooks.md", "exec"), names)  # noqa: S102 (our own guide)
    verify = names["verify"]
    assert callable(verify)
    assert verify(SECRET, message.headers, message.body, NOW) is message.genuine
