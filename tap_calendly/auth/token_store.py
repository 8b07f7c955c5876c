"""Where OAuth tokens are kept from run to run.

Calendly accepts a refresh token once, and returns another for it. The settings cannot hold that
one: their file may be read-only, and Meltano rewrites it for each run. So the user has a folder
with a small file for each configured refresh token, named by a hash of the app and that token.

A lock, which the operating system releases when a process dies, is held while the file is read, the
token exchanged and the file written. A process that has waited for it finds the new tokens.

The file is replaced atomically. All that can fail is done before the exchange: the new file is on
the disk at full length, and only waits for its content. A process killed in the milliseconds
between Calendly's answer and the end of that writing loses the refresh token: the old one is used
up, and the new one unknown. The waiting file stays behind, so that the next run can say so.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import msgspec
from typing_extensions import Self, override

from tap_calendly.reporting import errors, messages, redaction
from tap_calendly.settings import OAuthCredentials

SPACE = b" " * 8192
"""What a new file holds while it waits: more than tokens take."""


class Tokens(msgspec.Struct, frozen=True):
    """What Calendly returned for a refresh token; shown without the tokens."""

    access_token: str
    refresh_token: str  # to be exchanged for the next tokens, once
    renew_at: float  # when to do so (seconds since 1970, this computer's clock)
    user: str | None = None  # the URI of who granted access; None if Calendly did not say
    organization: str | None = None  # the URI of that user's organization; None likewise

    def __post_init__(self) -> None:
        """Check that the tokens are words of printable ASCII, and hide them in every output."""
        for token in (self.access_token, self.refresh_token):
            if not re.fullmatch(r"[\x21-\x7e]+", token):
                message = "no token"
                raise TypeError(message)
        redaction.remember(self.access_token, self.refresh_token)

    @override
    def __repr__(self) -> str:
        return f"Tokens(renew_at={self.renew_at})"

    def encode(self) -> bytes:
        """Write them as JSON, whatever characters the URIs hold."""
        return json.dumps(msgspec.structs.asdict(self)).encode()


class TokenStore:
    """The tokens of one configuration; what it cannot read or write raises a FatalError."""

    def __init__(self, folder: Path, name: str) -> None:
        """Prepare; nothing is read yet. The files differ only in their suffix."""
        self.path = folder / f"{name}.json"
        self._waiting = folder / f"{name}.new"
        self._lock = folder / f"{name}.lock"

    @classmethod
    def of(cls, app: OAuthCredentials, folder: str | None) -> Self:
        """Return the store of an app and its configured refresh token; None: the usual folder."""
        secret = f"{app.client_id}\n{app.refresh_token}"
        try:
            found = Path(folder).expanduser() if folder else _default_folder()
        except RuntimeError:
            raise errors.FatalError(
                messages.STORE_UNUSABLE, folder="the home folder", why="it is not known"
            ) from None
        return cls(found, hashlib.sha256(secret.encode()).hexdigest()[:32])

    @contextmanager
    def locked(self, wait: Callable[[], None]) -> Iterator[None]:
        """Hold the lock; `wait` lets a little time pass while another process holds it."""
        with self._usable():
            self._lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not self._taken(lock):
                wait()
            yield
        finally:
            os.close(lock)  # which releases it

    def read(self) -> Tokens | None:
        """Read the tokens; None if there are none that can be read."""
        with self._usable():
            if _read(self._waiting) is not None:  # a run was killed before it could put it in place
                self._waiting.replace(self.path)
            return _read(self.path)

    def begin(self) -> tuple[Writing, bool]:
        """Prepare to write tokens, under the lock; also tell whether an earlier try broke off."""
        with self._usable():
            broken_off = self._waiting.exists()
            self._waiting.unlink(missing_ok=True)
            return Writing(self._waiting, self.path), broken_off

    def _taken(self, lock: int) -> bool:
        import filelock

        # On a system without locks it fails: filelock's other kind would outlive its process.
        with self._usable():
            return filelock.lock_descriptor(lock, blocking=False)

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise errors.FatalError(
                messages.STORE_UNUSABLE, folder=self.path.parent, why=errors.why(error)
            ) from None


class Writing:
    """A file that waits for its content, and then replaces another."""

    def __init__(self, waiting: Path, path: Path) -> None:
        """Create it at `waiting`, later to be `path`; raises an OSError if that fails."""
        self._waiting = waiting
        self._path = path
        self._file = io.FileIO(waiting, "x", opener=partial(os.open, mode=0o600))
        try:
            self._write(SPACE)
        except OSError:
            self.forget()
            raise

    def finish(self, content: bytes) -> None:
        """Write the content, and put the file in its place; a FatalError if the disk fails."""
        try:
            self._file.seek(0)
            self._write(content)
            self._file.truncate()
            os.fsync(self._file.fileno())
            self.leave()  # Windows does not rename an open file
            self._waiting.replace(self._path)
        except OSError as error:
            raise errors.FatalError(
                messages.STORE_FAILED, path=self._path, why=errors.why(error)
            ) from None
        with suppress(OSError):  # not every system can, and the file is in place
            _sync_folder(self._path.parent)

    def leave(self) -> None:
        """Leave it there, as a sign that an exchange has begun."""
        self._file.close()

    def forget(self) -> None:
        """Remove it, as nothing has begun."""
        self.leave()
        with suppress(OSError):
            self._waiting.unlink()

    def _write(self, content: bytes) -> None:
        while content:
            content = content[self._file.write(content) :]
        os.fsync(self._file.fileno())


def _default_folder() -> Path:
    """Return the folder for such files, by the XDG Base Directory Specification."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    home = state if state.is_absolute() else Path.home() / ".local" / "state"
    return home / "tap-calendly"


def _read(path: Path) -> Tokens | None:
    try:
        return msgspec.convert(json.loads(path.read_text(encoding="utf-8")), Tokens)
    except (FileNotFoundError, msgspec.ValidationError, *errors.UNREADABLE):
        return None


def _sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
