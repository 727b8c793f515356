"""Fetch one file over HTTP: checked, whole or not at all, and given up soon when nobody answers."""

import hashlib
import queue
import threading
import urllib.request
from functools import lru_cache
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.workspace import whole

PATIENCE_SECONDS = 10.0
CHUNK = 1 << 20
# What goes wrong on a network, and what a server says that is not HTTP.
_FAILURES = (OSError, HTTPException)


def download(
    url: str,
    target: Path,
    sha256: str,
    progress: Progress = silent,
    patience: float = PATIENCE_SECONDS,
) -> Path:
    """Stream ``url`` to ``target``; the file appears only when it is whole and its digest right.

    Args:
        url: the address.
        target: the file to write.
        sha256: the digest it must have, 64 hex digits.
        progress: called with bytes done, bytes in all (0 where unknown) and the file's name.
        patience: seconds without an answer, or without new bytes, after which it is given up.

    Raises:
        UserError: nobody answers, the answer is an error, or the content is another one.
        Cancelled: the person asked to stop.
    """
    try:
        with whole(target) as part:
            with _open(url, patience) as response:
                _stream(response, part, target.name, progress)
            check(part, sha256, target.name)
    except _FAILURES as error:
        raise UserError("regions.unreachable", url=url, reason=_reason(error)) from error
    return target


def check(path: Path, sha256: str, name: str = "") -> None:
    """Hold the file's SHA-256 against the one it must have.

    Raises:
        UserError: it is another one.
    """
    found = sha256_of(path)
    if found != sha256:
        name = name or str(path)
        raise UserError("regions.wrong_checksum", name=name, found=found, wanted=sha256)


def sha256_of(path: Path) -> str:
    """The file's SHA-256, 64 hex digits; a file that did not change is read only once."""
    now = path.stat()
    return _sha256(path, now.st_mtime_ns, now.st_size)


@lru_cache(maxsize=64)
def _sha256(path: Path, mtime_ns: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open(url: str, patience: float) -> HTTPResponse:
    """The response, within ``patience`` seconds.

    In a thread, because a socket's time-out covers neither the name look-up nor a row of
    addresses tried one after the other.
    """
    answers: queue.Queue[HTTPResponse | Exception] = queue.Queue()
    abandoned = threading.Event()

    def ask() -> None:
        try:
            response = urllib.request.urlopen(url, timeout=patience)
        except _FAILURES as error:
            answers.put(error)
            return
        if abandoned.is_set():
            response.close()
        answers.put(response)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=patience)
    except queue.Empty:
        abandoned.set()
        raise TimeoutError("no answer") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _stream(response: HTTPResponse, part: Path, name: str, progress: Progress) -> None:
    total = int(response.headers.get("Content-Length") or 0)
    done = 0
    with part.open("wb") as file:
        while chunk := response.read1(CHUNK):
            file.write(chunk)
            done += len(chunk)
            progress(done, total, name)
    if done < total:
        raise ConnectionError("cut off")


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return str(reason) or type(error).__name__
