"""The files a person brings: a folder, a zip or an upload, all as one list of named entries."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from samclr_core.images.decode import SUFFIXES
from samclr_core.messages import UserError

MAX_FILE_BYTES = 512 * 2**20
MAX_ZIP_BYTES = 16 * 2**30
MAX_ZIP_ENTRIES = 50_000
# Photos hardly compress; deflate's own limit is about 1000 to 1.
MAX_ZIP_RATIO = 200
BOMB_FLOOR_BYTES = 32 * 2**20
# What computers put beside a person's photos.
CLUTTER = {"__macosx", ".ds_store", "thumbs.db", "desktop.ini"}


# Ground truth of BSDS500, and of COCO.
GROUND_TRUTH = MATLAB, JSON = ".mat", ".json"


@dataclass(frozen=True)
class Entry:
    """One file that came in: its path within what was brought, and how to read it."""

    path: PurePosixPath
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Refusal:
    """A file that was not taken, and why."""

    name: str
    error: UserError


@dataclass(frozen=True)
class Source:
    """What came in together."""

    name: str
    entries: list[Entry]
    refused: list[Refusal]


def from_path(path: Path) -> Source:
    """A folder with everything below it, a zip, or a single file.

    Raises:
        UserError: there is nothing at ``path``, or it is a zip that cannot be opened.
    """
    if path.is_dir():
        return _from_folder(path)
    if not path.is_file():
        raise UserError("images.no_such_path", path=path)
    if path.suffix.lower() == ".zip":
        return _from_zip(path, path.name)
    return Source(path.parent.name, [Entry(PurePosixPath(path.name), path.read_bytes)], [])


def from_upload(name: str, content: bytes) -> Source:
    """An uploaded file; a zip stands for the files in it.

    Raises:
        UserError: it is a zip that cannot be opened.
    """
    if name.lower().endswith(".zip"):
        return _from_zip(BytesIO(content), name)
    return Source("upload", [Entry(PurePosixPath(name), lambda: content)], [])


def _from_folder(folder: Path) -> Source:
    known = (*SUFFIXES, ".csv", *GROUND_TRUTH)
    found = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in known]
    paths = [(PurePosixPath(p.relative_to(folder).as_posix()), p) for p in found]
    entries = [Entry(name, p.read_bytes) for name, p in paths if not _is_clutter(name)]
    if all(entry.path.suffix in GROUND_TRUTH for entry in entries):
        raise UserError("images.nothing_in_folder", path=folder)
    return Source(folder.name, entries, [])


def _from_zip(file: Path | BytesIO, name: str) -> Source:
    try:
        archive = zipfile.ZipFile(file)
        members = [member for member in archive.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UserError("images.bad_zip", name=name) from error
    total = sum(member.file_size for member in members)
    if len(members) > MAX_ZIP_ENTRIES or total > MAX_ZIP_BYTES:
        raise UserError("images.zip_too_large", name=name, limit=MAX_ZIP_BYTES // 2**30)
    entries, refused = [], []
    for member in members:
        path = PurePosixPath(_member_name(member).replace("\\", "/"))
        if _is_clutter(path):
            continue
        if danger := _unsafe(path, member):
            refused.append(Refusal(str(path), danger))
        else:
            entries.append(Entry(path, _member_reader(archive, member, path)))
    return Source(Path(name).stem, entries, refused)


def _member_name(member: zipfile.ZipInfo) -> str:
    """The name as its maker meant it: zips of Japanese Windows hold cp932, those of macOS UTF-8."""
    if member.flag_bits & 0x800:
        return member.filename
    raw = member.orig_filename.encode("cp437", errors="replace")
    for encoding in ("utf-8", "cp932"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def _unsafe(path: PurePosixPath, member: zipfile.ZipInfo) -> UserError | None:
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return UserError("images.zip_path", name=path)
    bloated = member.file_size > MAX_ZIP_RATIO * max(member.compress_size, 1)
    if member.file_size > MAX_FILE_BYTES or (bloated and member.file_size > BOMB_FLOOR_BYTES):
        return UserError("images.zip_bomb", name=path)
    return None


def _member_reader(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: PurePosixPath
) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            with archive.open(member) as file:
                # The size in the header can lie, so the reading itself is bounded.
                content = file.read(MAX_FILE_BYTES + 1)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
            raise UserError("images.zip_member", name=path) from error
        if len(content) > MAX_FILE_BYTES:
            raise UserError("images.zip_bomb", name=path)
        return content

    return read


def _is_clutter(path: PurePosixPath) -> bool:
    return any(part.lower() in CLUTTER or part.startswith("._") for part in path.parts)
