"""Fetch one file over HTTP: checked, whole or not at all, and given up soon when nobody answers."""

import hashlib
import queue
import threading
import urllib.request
from http.client import HTTPResponse
from pathlib import Path
from tempfile import NamedTemporaryFile

from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError

PATIENCE_SECONDS = 10.0
CHUNK = 1 << 20


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
    target.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        part = Path(file.name)
    try:
        with _open(url, patience) as response:
            _stream(response, part, target.name, progress)
        check(part, sha256, target.name)
        part.replace(target)
    except OSError as error:
        raise UserError("regions.unreachable", url=url, reason=_reason(error)) from error
    finally:
        part.unlink(missing_ok=True)
    return target


def check(path: Path, sha256: str, name: str = "") -> None:
    """Hold the file's SHA-256 against the one it must have.

    Raises:
        UserError: it is another one.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        name = name or str(path)
        raise UserError("regions.wrong_checksum", name=name, found=found, wanted=sha256)


def _open(url: str, patience: float) -> HTTPResponse:
    """The response, within ``patience`` seconds.

    In a thread, because a socket's time-out covers neither the name look-up nor a row of
    addresses tried one after the other.
    """
    answers: queue.Queue[HTTPResponse | OSError] = queue.Queue()
    abandoned = threading.Event()

    def ask() -> None:
        try:
            response = urllib.request.urlopen(url, timeout=patience)
        except OSError as error:
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
    if isinstance(answer, OSError):
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


def _reason(error: OSError) -> str:
    reason = getattr(error, "reason", None) or error
    return str(reason) or type(error).__name__
