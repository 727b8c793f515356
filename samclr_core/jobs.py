"""Long work in a process of its own, in a folder that is the truth about it.

A job is a folder. Whoever works in it writes ``process.json`` (who), ``progress.json`` (how far)
and ``end.json`` (how it ended). A reader needs only the folder: closing the browser or restarting
the app loses nothing, and a process that was killed is seen as interrupted.
"""

import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import psutil

from samclr_core.messages import Cancelled, UserError
from samclr_core.workspace import read_json, write_json

FOLDER_VARIABLE = "SAMCLR_JOB"
HEARTBEAT_SECONDS = 2.0
SILENCE_SECONDS = 10.0


class State(StrEnum):
    CREATED = "created"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Progress(Protocol):
    """Tells how far the work is; raises :class:`Cancelled` where the person asked it to stop."""

    def __call__(self, done: int, total: int, note: str = "") -> None: ...


def silent(done: int, total: int, note: str = "") -> None:
    """A :class:`Progress` for callers who do not look."""


@dataclass(frozen=True)
class Step:
    """How far a job is."""

    done: int = 0
    total: int = 0
    note: str = ""


class Job:
    """What a reader can tell of the work in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def state(self) -> State:
        end = read_json(self.folder / "end.json")
        if end:
            return State(end["state"])
        process = read_json(self.folder / "process.json")
        if not process:
            return State.CREATED
        return State.RUNNING if self._alive(process) else State.INTERRUPTED

    @property
    def step(self) -> Step:
        return Step(**read_json(self.folder / "progress.json", {}))

    @property
    def result(self) -> dict | None:
        """The JSON object the work printed, once it has finished."""
        return read_json(self.folder / "result.json")

    @property
    def error(self) -> UserError | None:
        """Why the work failed, as a sentence."""
        error = (read_json(self.folder / "end.json") or {}).get("error")
        return UserError(error["key"], **error["values"]) if error else None

    @property
    def log(self) -> str:
        path = self.folder / "log.txt"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def stop(self) -> None:
        """Ask the process to stop at its next step; what it finished is kept."""
        (self.folder / "stop").touch()

    def _alive(self, process: dict) -> bool:
        if process["host"] != socket.gethostname():
            return self._seconds_since_heartbeat() < SILENCE_SECONDS
        try:
            running = psutil.Process(process["pid"])
            same = abs(running.create_time() - process["started"]) < 1.0
            return same and running.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def _seconds_since_heartbeat(self) -> float:
        try:
            return time.time() - (self.folder / "heartbeat").stat().st_mtime
        except FileNotFoundError:
            return float("inf")


def new_folder(parent: Path, kind: str) -> Path:
    """A fresh folder ``<time>-<kind>`` below ``parent``."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for attempt in range(1000):
        folder = parent / (f"{stamp}-{kind}" + (f"-{attempt}" if attempt else ""))
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            continue
    raise RuntimeError(f"no free folder name below {parent}")


def launch(folder: Path, arguments: Sequence[str]) -> Job:
    """Start ``samclr ARGUMENTS`` detached from this process, at work in ``folder``.

    Raises:
        UserError: a process is at work in ``folder`` already.
    """
    if Job(folder).state is State.RUNNING:
        raise UserError("core.already_running", name=folder.name)
    _forget_last_time(folder)
    write_json(folder / "command.json", list(arguments))
    with open(folder / "log.txt", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "samclr_core.cli", *arguments],
            env=os.environ | {FOLDER_VARIABLE: str(folder), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _sign(folder, process.pid)
    # Reaps the child where this process outlives it, so that it does not stay as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    return Job(folder)


def _forget_last_time(folder: Path) -> None:
    for name in ("end.json", "stop", "process.json"):
        (folder / name).unlink(missing_ok=True)


@contextmanager
def at_work(folder: Path, progress: Progress = silent) -> Iterator[Progress]:
    """Work in ``folder`` as this process: yields the progress to report to, and writes the end.

    Exceptions go on to the caller after the end was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if os.environ.get(FOLDER_VARIABLE) != str(folder):
        _forget_last_time(folder)
    _sign(folder, os.getpid())
    finished = threading.Event()
    threading.Thread(target=_beat, args=(folder, finished), daemon=True).start()
    try:
        yield _FolderProgress(folder, progress)
        _end(folder, State.FINISHED)
    except (Cancelled, KeyboardInterrupt):
        _end(folder, State.STOPPED)
        raise
    except UserError as error:
        _end(folder, State.FAILED, error)
        raise
    except BaseException as error:
        with open(folder / "log.txt", "a", encoding="utf-8") as log:
            traceback.print_exc(file=log)
        reason = f"{type(error).__name__}: {error}"
        _end(folder, State.FAILED, UserError("core.work_failed", reason=reason))
        raise
    finally:
        finished.set()


def write_result(folder: Path, result: dict) -> None:
    """Keep what the work in ``folder`` came to."""
    write_json(folder / "result.json", result)


class _FolderProgress:
    """Writes the step down for readers, passes it on, and minds the request to stop."""

    def __init__(self, folder: Path, onward: Progress) -> None:
        self.folder = folder
        self.onward = onward

    def __call__(self, done: int, total: int, note: str = "") -> None:
        write_json(self.folder / "progress.json", {"done": done, "total": total, "note": note})
        self.onward(done, total, note)
        if (self.folder / "stop").exists():
            raise Cancelled


def _sign(folder: Path, pid: int) -> None:
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        started = time.time()
    identity = {"pid": pid, "started": started, "host": socket.gethostname()}
    write_json(folder / "process.json", identity)


def _beat(folder: Path, finished: threading.Event) -> None:
    while not finished.is_set():
        (folder / "heartbeat").touch()
        finished.wait(HEARTBEAT_SECONDS)


def _end(folder: Path, state: State, error: UserError | None = None) -> None:
    reason = {"key": error.key, "values": _plain(error.values)} if error else None
    write_json(folder / "end.json", {"state": state.value, "error": reason})


def _plain(values: dict[str, object]) -> dict[str, object]:
    return {k: v if isinstance(v, int | float) else str(v) for k, v in values.items()}
