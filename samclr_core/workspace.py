"""Where everything is on disk. The only module that knows paths."""

import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, MetaData, create_engine

from samclr_core.messages import UserError
from samclr_core.paths import expanded

REPOSITORY = Path(__file__).parent.parent
SAMPLE_DATA = REPOSITORY / "sample_data"
RENAME_ATTEMPTS = 20
RENAME_PAUSE_SECONDS = 0.05
NAME_PATTERN = re.compile(r"[^\\/:*?\"<>|\x00-\x1f]{1,80}")


class Workspace:
    """One folder per POC or site: its images, regions, runs, jobs and reports."""

    def __init__(self, root: str | Path) -> None:
        """Open the workspace at ``root``, making the folder where it is missing.

        Raises:
            UserError: ``root`` is a file, or cannot be written.
        """
        self.root = expanded(root).resolve()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError("core.workspace_unusable", path=self.root) from error

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def images(self) -> Path:
        """Imported images, named by their content."""
        return _made(self.root / "images")

    @property
    def label_maps(self) -> Path:
        """Ground-truth label maps, named by their image."""
        return _made(self.root / "label_maps")

    @property
    def thumbnails(self) -> Path:
        return _made(self.root / "thumbnails")

    def regions(self, digest: str) -> Path:
        """The region sets made with the settings of that digest."""
        return _made(self.root / "regions" / digest)

    def region_folders(self) -> list[Path]:
        """The folder of every settings that made regions here."""
        return sorted(path for path in (self.root / "regions").glob("*") if path.is_dir())

    @property
    def models(self) -> Path:
        """SAM models tuned on this workspace's images, a folder each."""
        return _made(self.root / "models")

    @property
    def runs(self) -> Path:
        return _made(self.root / "runs")

    @property
    def damaged_runs(self) -> Path:
        """Runs that learned from regions damaged on purpose."""
        return _made(self.robustness / "runs")

    @property
    def robustness(self) -> Path:
        """What studies of damaged regions found."""
        return _made(self.root / "robustness")

    @property
    def jobs(self) -> Path:
        return _made(self.root / "jobs")

    @property
    def cache(self) -> Path:
        """What can be computed again: decoded images, embeddings, projections."""
        return _made(self.root / "cache")

    @property
    def reports(self) -> Path:
        return _made(self.root / "reports")

    def forget(self, image_ids: Iterable[str]) -> None:
        """Delete every file that is named by one of these images, and every row about them.

        Rows are found in any station's table by their ``image_id``. Packed arrays of the cache
        (.npz) hold pixels of many images and go as well: they can be computed again. Reports that
        were written stay.
        """
        names = set(image_ids)
        self._forget_rows(names)
        own = [path for path in self.root.rglob("*") if path.stem in names and path.is_file()]
        for path in [*own, *self.cache.rglob("*.npz")]:
            path.unlink(missing_ok=True)

    def _forget_rows(self, image_ids: set[str]) -> None:
        known = MetaData()
        known.reflect(self.engine)
        with self.engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                # Else the rows' bytes would stay in the file until something overwrites them.
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            for table in known.tables.values():
                if "image_id" in table.c:
                    connection.execute(table.delete().where(table.c.image_id.in_(image_ids)))

    @cached_property
    def engine(self) -> Engine:
        """The workspace's database; stations keep their tables in it."""
        path = self.root / "workspace.sqlite"
        # How long one writer waits for another: several people may be at work at once.
        return create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    def setting(self, key: str) -> Any:
        """A small remembered choice, such as the segmenter in use; None when never chosen."""
        return read_json(self._settings_file, {}).get(key)

    def remember(self, key: str, value: object) -> None:
        """Remember a small choice under ``key``."""
        write_json(self._settings_file, read_json(self._settings_file, {}) | {key: value})

    @property
    def _settings_file(self) -> Path:
        return self.root / "settings.json"


def home() -> Path:
    """The folder that holds the app's workspaces: ``$SAMCLR_HOME``, else ``workspaces`` here."""
    return _made(expanded(os.environ.get("SAMCLR_HOME", "workspaces")).resolve())


def workspace_names() -> list[str]:
    """The workspaces of :func:`home`, sorted."""
    return sorted(path.name for path in home().iterdir() if path.is_dir())


def named_workspace(name: str) -> Workspace:
    """The workspace ``name`` of :func:`home`, made where it is missing.

    Raises:
        UserError: the name cannot be a folder's.
    """
    if not NAME_PATTERN.fullmatch(name) or name.strip(". ") != name:
        raise UserError("core.bad_workspace_name", name=name)
    return Workspace(home() / name)


def weights_cache() -> Path:
    """Downloaded and converted weights: ``$SAMCLR_CACHE``, else the user's cache folder."""
    if chosen := os.environ.get("SAMCLR_CACHE"):
        return _made(expanded(chosen).resolve())
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local"))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return _made(base / "samclr")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write to, which takes its name when the block ends well.

    A reader, or a crash, never sees half a file; a block that raises leaves nothing behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    try:
        yield part
        _rename(part, path)
    finally:
        part.unlink(missing_ok=True)


def _rename(part: Path, path: Path) -> None:
    """Windows refuses while somebody reads the old file, which takes a moment only."""
    for _ in range(RENAME_ATTEMPTS - 1):
        try:
            os.replace(part, path)
            return
        except PermissionError:
            time.sleep(RENAME_PAUSE_SECONDS)
    os.replace(part, path)


def write_atomic(path: Path, content: bytes) -> None:
    """Write ``content`` so that a reader, or a crash, never sees half a file."""
    with whole(path) as part:
        part.write_bytes(content)


def write_json(path: Path, value: Mapping[str, object] | list) -> None:
    """Write ``value`` as JSON, atomically."""
    write_atomic(path, json.dumps(value, ensure_ascii=False, indent=1).encode())


def read_json(path: Path, default: Any = None) -> Any:
    """The JSON in ``path``, or ``default`` where there is no such file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return default


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
