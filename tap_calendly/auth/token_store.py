"""Where the tokens of OAuth are kept from run to run.

Calendly accepts a refresh token once and returns another for it. The settings cannot hold that
one: their file may be read-only, and Meltano rewrites it for each run. So there is a folder of the
user's, with a small file for each refresh token that was configured. Its name is a hash of the app
and that token: another token in the settings begins another file.

A lock between processes, which the operating system releases when a process dies, is held while
the file is read, the token exchanged and the file written. Whoever waited for it finds what the
other has written.

The file is replaced atomically, never changed. Everything that can fail is done before the
exchange: the new file exists at full length, on the disk, and only waits for its content. A process
that is killed between Calendly's answer and the end of that writing, a matter of milliseconds,
loses the refresh token: the old one is used up and the new one unknown. The waiting file stays
behind then, so that the next run can say what happened.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from typing_extensions import Self, override

from tap_calendly.reporting import errors, messages, redaction
from tap_calendly.settings import OAuthCredentials

SPACE = b" " * 8192
"""What the new file holds until it is written: more than tokens take."""

OURS_ALONE = 0o600
OUR_FOLDER = 0o700


class Tokens(msgspec.Struct, frozen=True):
    """What Calendly returned for a refresh token; shown without the tokens.

    Attributes:
        refresh_token: Exchanged for the next tokens, once.
        renew_at: When to do so (seconds since 1970, this computer's clock).
        user: The URI of the user who granted access; None when Calendly did not say.
        organization: The URI of that user's organization; None likewise.
    """

    access_token: str
    refresh_token: str
    renew_at: float
    user: str | None = None
    organization: str | None = None

    def __post_init__(self) -> None:
        """Check that the tokens can be sent, and have them redacted from now on.

        Raises:
            TypeError: One is not a word of printable ASCII.
        """
        for token in (self.access_token, self.refresh_token):
            if not re.fullmatch(r"[\x21-\x7e]+", token):
                message = "no token"
                raise TypeError(message)
        redaction.remember(self.access_token, self.refresh_token)

    @override
    def __repr__(self) -> str:
        return f"Tokens(renew_at={self.renew_at})"

    def encode(self) -> bytes:
        """Write them as the store keeps them: in JSON, whatever the URIs hold."""
        return json.dumps(msgspec.structs.asdict(self)).encode()


class TokenStore:
    """The tokens of one configuration, on disk."""

    def __init__(self, folder: Path, name: str) -> None:
        """Prepare; nothing is read yet. All its files are called by the name."""
        self.path = folder / f"{name}.json"
        self._waiting = folder / f"{name}.new"
        self._lock = folder / f"{name}.lock"

    @classmethod
    def of(cls, app: OAuthCredentials, folder: str | None) -> Self:
        """Return the store of an app and its configured refresh token, by `oauth_store`.

        Raises:
            FatalError: The setting says no folder, and there is no home folder.
        """
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
        """Keep other processes away.

        Args:
            wait: Called while another one holds the lock; lets a little time pass.

        Raises:
            FatalError: The folder cannot be used.
        """
        with self._usable():
            self._lock.parent.mkdir(mode=OUR_FOLDER, parents=True, exist_ok=True)
            lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, OURS_ALONE)
        try:
            while not self._taken(lock):
                wait()
            yield
        finally:
            os.close(lock)  # which releases it

    def read(self) -> Tokens | None:
        """Read the tokens; None when there are none, or none that can be read.

        Raises:
            FatalError: The file cannot be opened.
        """
        with self._usable():
            if _read(self._waiting) is not None:  # a run was killed before it could put it in place
                self._waiting.replace(self.path)
            return _read(self.path)

    def begin(self) -> tuple[Writing, bool]:
        """Prepare to write the tokens, under the lock; also tell whether an earlier try broke off.

        Raises:
            FatalError: They could not be written.
        """
        with self._usable():
            broken_off = self._waiting.exists()
            self._waiting.unlink(missing_ok=True)
            return Writing(self._waiting, self.path), broken_off

    def _taken(self, lock: int) -> bool:
        import filelock

        with self._usable():  # never a lock that outlives its process, where there is no other
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
        """Create it.

        Args:
            waiting: Its name until then.
            path: Its name from then on.

        Raises:
            OSError: It cannot be created, or the disk is full.
        """
        self._waiting = waiting
        self._path = path
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        self._file = os.open(waiting, flags, OURS_ALONE)
        self._open = True
        try:
            _write(self._file, SPACE)
        except OSError:
            self.forget()
            raise

    def finish(self, content: bytes) -> None:
        """Write the content, and put the file in its place.

        Raises:
            FatalError: The disk failed after all.
        """
        try:
            os.lseek(self._file, 0, os.SEEK_SET)
            _write(self._file, content)
            os.ftruncate(self._file, len(content))
            os.fsync(self._file)
            self.leave()  # Windows renames no file that is open
            self._waiting.replace(self._path)
        except OSError as error:
            raise errors.FatalError(
                messages.STORE_FAILED, path=self._path, why=errors.why(error)
            ) from None
        with suppress(OSError):  # not every system can, and the file is in its place
            _sync_folder(self._path.parent)

    def leave(self) -> None:
        """Leave it there, as a sign that an exchange was begun."""
        if self._open:
            self._open = False
            os.close(self._file)

    def forget(self) -> None:
        """Remove it: nothing was begun."""
        self.leave()
        with suppress(OSError):
            self._waiting.unlink()


def _default_folder() -> Path:
    """Return the folder that the XDG Base Directory Specification has for such files."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    home = state if state.is_absolute() else Path.home() / ".local" / "state"
    return home / "tap-calendly"


def _read(path: Path) -> Tokens | None:
    """Read the tokens in a file; None where there are none that can be read."""
    try:
        return msgspec.convert(json.loads(path.read_text(encoding="utf-8")), Tokens)
    except (FileNotFoundError, msgspec.ValidationError, *errors.UNREADABLE):
        return None


def _write(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]
    os.fsync(file)


def _sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk, not only the files."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
