"""Where the tokens of OAuth are kept from run to run.

Calendly takes a refresh token once and gives another for it. The settings cannot hold that other
one: their file may be read-only, and Meltano writes it anew for each run. So there is a folder of
the user's, with a small file for each refresh token that was configured. Its name is a hash of the
app and that token: another token in the settings begins another file.

A lock between processes, which the operating system takes back from a process that dies, is held
while the file is read, the token exchanged and the file written. Whoever waited for it finds what
the other has written.

The file is replaced at once, never changed. Everything that can fail is done before the exchange:
the new file lies there, as long as it will be and on the disk, and only waits for its content. A
process that is killed between Calendly's answer and the end of that writing, a matter of
milliseconds, loses the refresh token: the old one is used up and the new one unknown. The file
that waits stays behind then, so that the next run can say what happened.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tap_calendly.reporting import errors, redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPACE = b" " * 8192
"""What the new file holds until it is written: more than tokens take."""

OURS_ALONE = 0o600
OUR_FOLDER = 0o700


@dataclass(frozen=True)
class Tokens:
    """What Calendly gave for a refresh token.

    Attributes:
        access_token: Opens the API.
        refresh_token: Buys the next tokens, once.
        renew_at: When to do so (seconds since 1970, this computer's clock).
        user: The URI of the user who allowed it; None when Calendly did not say.
        organization: The URI of that user's organization; None likewise.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    renew_at: float
    user: str | None = None
    organization: str | None = None

    def __post_init__(self) -> None:
        """Have them kept out of all that is shown."""
        redaction.remember(self.access_token, self.refresh_token)


def folder(configured: str | None) -> Path:
    """Find the folder.

    Args:
        configured: The setting `oauth_store`.

    Returns:
        It, or what the XDG Base Directory Specification has for such files.

    Raises:
        CalendlyError: There is no home to put it in.
    """
    state = os.environ.get("XDG_STATE_HOME", "")
    try:
        if configured:
            return Path(configured.strip()).expanduser()
        home = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError:
        raise errors.FatalError(errors.store_unusable("the home folder", None)) from None
    return home / "tap-calendly"


def name(client_id: str, refresh_token: str) -> str:
    """Give the name under which the tokens are kept that a configuration has led to.

    Args:
        client_id: The app, as configured.
        refresh_token: The token, as configured.

    Returns:
        A hash, which tells nothing of either.
    """
    return hashlib.sha256(f"{client_id}\n{refresh_token}".encode()).hexdigest()[:32]


class Store:
    """The tokens of one configuration, on disk."""

    def __init__(self, folder: Path, name: str) -> None:
        """Prepare; nothing is read yet.

        Args:
            folder: Where it is.
            name: What is common to the names of its files.
        """
        self.path = folder / f"{name}.json"
        self._waiting = folder / f"{name}.new"
        self._lock = folder / f"{name}.lock"

    @contextmanager
    def locked(self, wait: Callable[[], None]) -> Iterator[None]:
        """Keep other processes away.

        Args:
            wait: Called while another one is in; lets a little time pass.

        Yields:
            Once it is free.

        Raises:
            CalendlyError: The folder cannot be used.
        """
        with self._usable():
            self._lock.parent.mkdir(mode=OUR_FOLDER, parents=True, exist_ok=True)
            lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, OURS_ALONE)
        try:
            while not self._taken(lock):
                wait()
            yield
        finally:
            os.close(lock)  # which gives it back

    def read(self) -> Tokens | None:
        """Read the tokens.

        Returns:
            None when none are kept, or none that can be read.

        Raises:
            CalendlyError: The file is somebody else's.
        """
        with self._usable():
            if _in(self._waiting) is not None:  # a run was killed before it could put it in place
                self._waiting.replace(self.path)
            return _in(self.path)

    def begin(self) -> tuple[Writing, bool]:
        """Prepare to write the tokens; called under the lock.

        Returns:
            What takes them, and whether somebody who had begun before never finished.

        Raises:
            CalendlyError: They could not be written.
        """
        with self._usable():
            broken_off = self._waiting.exists()
            self._waiting.unlink(missing_ok=True)
            return Writing(self._waiting, self.path), broken_off

    def _taken(self, lock: int) -> bool:
        with self._usable():
            return _take(lock)

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = errors.store_unusable(str(self.path.parent), error)
            raise errors.FatalError(message) from None


class Writing:
    """A file that only waits for its content, and then replaces another."""

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

        Args:
            content: What it shall hold.

        Raises:
            CalendlyError: The disk failed after all.
        """
        try:
            os.lseek(self._file, 0, os.SEEK_SET)
            _write(self._file, content)
            os.ftruncate(self._file, len(content))
            os.fsync(self._file)
            self.leave()  # Windows renames no file that is open
            self._waiting.replace(self._path)
        except OSError as error:
            raise errors.FatalError(errors.store_failed(str(self._path), error)) from None
        with suppress(OSError):  # not every file system can, and the file is in its place
            _settle(self._path.parent)

    def leave(self) -> None:
        """Let it wait there for ever, as a sign that an exchange was begun."""
        if self._open:
            self._open = False
            os.close(self._file)

    def forget(self) -> None:
        """Remove it: nothing was begun."""
        self.leave()
        with suppress(OSError):
            self._waiting.unlink()


def content(tokens: Tokens) -> bytes:
    """Write tokens as the store keeps them.

    Args:
        tokens: The tokens.

    Returns:
        JSON.
    """
    return json.dumps(asdict(tokens)).encode()


def word(token: object) -> str:
    """Check that a token can be sent.

    Args:
        token: The token.

    Returns:
        It.

    Raises:
        TypeError: It is no word of printable ASCII.
    """
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
        message = "no token"
        raise TypeError(message)
    return token


def text(value: object) -> str | None:
    """Take what Calendly may tell, or not.

    Args:
        value: Whatever it is.

    Returns:
        It, if it is a text; else None.
    """
    return value if isinstance(value, str) else None


def _in(path: Path) -> Tokens | None:
    """Read the tokens in a file; None where there are none that can be read."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Tokens(
            access_token=word(kept["access_token"]),
            refresh_token=word(kept["refresh_token"]),
            renew_at=float(kept["renew_at"]),
            user=text(kept["user"]),
            organization=text(kept["organization"]),
        )
    except (FileNotFoundError, *errors.UNREADABLE):
        return None


def _write(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]
    os.fsync(file)


if sys.platform == "win32":
    import msvcrt

    def _take(lock: int) -> bool:
        try:
            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _settle(folder: Path) -> None:
        """Windows settles the names in a folder by itself."""

else:
    import fcntl

    def _take(lock: int) -> bool:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _settle(folder: Path) -> None:
        """Have the names in a folder on the disk, not only the files."""
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
