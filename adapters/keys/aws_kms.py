"""A key that wraps and never leaves AWS's Key Management Service (the extra ``aws``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.keys.extras import optional
from adapters.keys.sealing import KEY_BYTES
from ports.key_wrapper import KeyWrapperUnavailable, WrappedKeyRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

EXTRA: Final = "aws"
WRAPPED_BYTES_MAX: Final = 6_144
"""Of ``CiphertextBlob``, by the API's reference of Decrypt."""

_NOT_OURS: Final = {"InvalidCiphertextException", "IncorrectKeyException"}
"""What Decrypt says to other bytes, to another context, and to another key's."""


class AwsKmsKeyWrapper:
    """Wraps by Encrypt and Decrypt; the context is the encryption context, which CloudTrail shows.

    Credentials are found as every client of AWS finds them: by the role of the machine, best.
    """

    def __init__(
        self,
        name: str,
        *,
        key: str,
        region: str,
        timeout_seconds: float = 5.0,
        url: str | None = None,
    ) -> None:
        """Take a symmetric key's ARN or alias; nobody is asked yet.

        Raises:
            ExtraMissing: boto3 is not installed.
        """
        self.name = name
        self._key: Final = key
        boto3, config = optional("boto3", extra=EXTRA), optional("botocore.config", extra=EXTRA)
        self._exceptions: Final = optional("botocore.exceptions", extra=EXTRA)
        self._client: Final[Any] = boto3.client(
            "kms",
            region_name=region,
            endpoint_url=url,
            config=config.Config(
                connect_timeout=timeout_seconds,
                read_timeout=timeout_seconds,
                retries={"mode": "standard", "total_max_attempts": 3},
            ),
        )

    def __repr__(self) -> str:
        return f"AwsKmsKeyWrapper({self.name!r})"

    def __reduce__(self) -> str:
        raise TypeError("credentials stay in their process")

    def wrap(self, data_key: bytes, *, context: Mapping[str, str]) -> bytes:
        """Return a data key, encrypted and bound to a context.

        Raises:
            KeyWrapperUnavailable: AWS did not answer, or would not.
        """
        answer = self._ask("encrypt", Plaintext=data_key, EncryptionContext=dict(context))
        return bytes(answer["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, *, context: Mapping[str, str]) -> bytes:
        """Return the data key.

        Raises:
            WrappedKeyRefused: it was not wrapped by this key, or not under this context.
            KeyWrapperUnavailable: AWS did not answer, or would not.
        """
        if not 0 < len(wrapped) <= WRAPPED_BYTES_MAX:
            raise WrappedKeyRefused(self.name)
        answer = self._ask("decrypt", CiphertextBlob=wrapped, EncryptionContext=dict(context))
        data_key = bytes(answer["Plaintext"])
        if len(data_key) != KEY_BYTES:
            raise WrappedKeyRefused(self.name)
        return data_key

    def _ask(self, operation: str, **arguments: object) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = getattr(self._client, operation)(
                KeyId=self._key, **arguments
            )
        except self._exceptions.ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _NOT_OURS:
                raise WrappedKeyRefused(self.name) from None
            # Not chained: an error's text may quote the request.
            raise KeyWrapperUnavailable(self.name, code or "refused") from None
        except self._exceptions.BotoCoreError as error:
            raise KeyWrapperUnavailable(self.name, type(error).__name__) from None
        return answer
