"""The rounding key: made once, kept outside the home and the repository, never changed while a series lives.

With another key the same data round differently, and two roundings of one count narrow it. Other keys (pseudonyms) and
what the key is used for do not belong here.
"""

import hmac
import os
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from pipelines.disclosure.errors import RoundingKeyError

KEY_FILE_VARIABLE = "MFH_ROUNDING_KEY_FILE"
KEY_BYTES = 32


@dataclass(frozen=True)
class RoundingKey:
    """A secret that does not show itself when printed."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a key that can be searched for.

        Raises:
            RoundingKeyError: if it is shorter than 32 bytes.
        """
        if len(self.secret) < KEY_BYTES:
            message = f"The rounding key is too short: at least {KEY_BYTES} bytes are needed."
            raise RoundingKeyError(message)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits by which a changed key is noticed; they do not help to find the key."""
        return hmac.digest(self.secret, b"mfh:rounding-key-fingerprint:v1", sha256)[:8].hex()


def read_key(path: Path | None = None) -> RoundingKey:
    """Read the rounding key.

    Args:
        path: the key file; without it, the file that `MFH_ROUNDING_KEY_FILE` names.

    Raises:
        RoundingKeyError: if no file is named, it cannot be read, or it is not hex text of at least 32 bytes.
    """
    named = path or os.environ.get(KEY_FILE_VARIABLE)
    if not named:
        message = f"No rounding key: name its file in {KEY_FILE_VARIABLE}."
        raise RoundingKeyError(message)
    try:
        text = Path(named).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        message = f"The rounding key file {named} cannot be read."
        raise RoundingKeyError(message) from None
    try:
        secret = bytes.fromhex(text.strip())
    except ValueError:
        # Without the cause: its text quotes what the file contains.
        message = f"The rounding key file {named} is not hexadecimal text."
        raise RoundingKeyError(message) from None
    return RoundingKey(secret)


def create_key(path: Path) -> RoundingKey:
    """Make a new key file that only its owner may read.

    Args:
        path: the file; it must not exist, since a key that a series was rounded with is never replaced.

    Raises:
        RoundingKeyError: if the file exists or cannot be written.
    """
    secret = secrets.token_bytes(KEY_BYTES)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        message = f"The rounding key file {path} cannot be made."
        raise RoundingKeyError(message) from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret.hex() + "\n")
    return RoundingKey(secret)
