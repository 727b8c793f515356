"""What costs time is computed once: named arrays in the workspace's cache, found by content."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from samclr_core.workspace import Workspace, whole

Arrays = dict[str, np.ndarray]

# NumPy parses headers with `ast`, which two threads break before Python 3.11.8 (gh-106905).
_HEADERS = threading.Lock()


def digest(*parts: object) -> str:
    """24 hex digits that change with any of the parts: arrays, strings, numbers, or lists."""
    sha = hashlib.sha256()
    for part in parts:
        _feed(sha, part)
    return sha.hexdigest()[:24]


def _feed(sha, part: object) -> None:
    if isinstance(part, np.ndarray):
        sha.update(f"{part.dtype}{part.shape}".encode())
        sha.update(np.ascontiguousarray(part).tobytes())
    elif isinstance(part, Iterable) and not isinstance(part, str):
        sha.update(b"[")
        for item in part:
            _feed(sha, item)
        sha.update(b"]")
    else:
        sha.update(f"{part!r};".encode())


def remembered(
    workspace: Workspace, kind: str, key: str, compute: Callable[[], Arrays]
) -> tuple[Arrays, float]:
    """The arrays of ``compute``, from the cache where they are; and the seconds it once took."""
    path = workspace.cache / kind / f"{key}.npz"
    if path.exists():
        arrays = read(path)
    else:
        started = time.perf_counter()
        arrays = compute()
        arrays["seconds"] = np.array(time.perf_counter() - started)
        write(path, arrays)
    return arrays, float(arrays.pop("seconds"))


def read(path: Path, *names: str) -> Arrays:
    """The arrays in ``path``, or those of these names; nothing is unpickled."""
    with _HEADERS, np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in names or stored.files}


def read_one(path: Path, mapped: bool = False) -> np.ndarray:
    """The array in a .npy file; ``mapped``: read from disk as it is looked at, and never written
    back."""
    with _HEADERS:
        return np.load(path, mmap_mode="c" if mapped else None, allow_pickle=False)


def write(path: Path, arrays: Arrays) -> None:
    """Write ``arrays`` as .npz so that a reader, or a crash, never sees half a file."""
    with whole(path) as part, part.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def write_one(path: Path, array: np.ndarray) -> None:
    """Write ``array`` as .npy, whole or not at all."""
    with whole(path) as part, part.open("wb") as file:
        np.save(file, array)
