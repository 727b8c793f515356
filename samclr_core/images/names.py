"""Finding a file by the name that somebody else's list gives it."""

from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Generic, TypeVar

Item = TypeVar("Item")


class ByFileName(Generic[Item]):
    """Things by their file's name, with or without its folders."""

    def __init__(self, named: Mapping[str, Item]) -> None:
        self._whole = dict(named)
        often = Counter(map(last_part, named))
        self._last = {
            last_part(name): item for name, item in named.items() if often[last_part(name)] == 1
        }

    def find(self, name: str) -> Item | None:
        """By the whole name, else by its last part where only one has that."""
        return self._whole.get(name) or self._last.get(last_part(name))


def last_part(name: str) -> str:
    """The file's own name; Windows' separators are understood."""
    return _path(name).name


def without_ending(name: str) -> str:
    """The whole name but for ``.jpg`` or the like."""
    return str(_path(name).with_suffix(""))


def _path(name: str) -> PurePosixPath:
    return PurePosixPath(name.replace("\\", "/"))
