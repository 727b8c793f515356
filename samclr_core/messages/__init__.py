"""Every sentence the core says to a person, in every language it speaks.

One TOML file per station, one table per sentence, the languages side by side::

    [truncated]
    en = "{name} is cut off; copy it again from the camera."
    ja = "..."

The sentence above, in ``images.toml``, has the key ``images.truncated``.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "ja")

Catalogue = Mapping[str, Mapping[str, str]]


@cache
def load(folder: Path) -> Catalogue:
    """All sentences of the TOML files in ``folder``, as ``{"file.table": {language: text}}``."""
    sentences = {}
    for path in sorted(folder.glob("*.toml")):
        for name, languages in tomllib.loads(path.read_text(encoding="utf-8")).items():
            sentences[f"{path.stem}.{name}"] = languages
    return sentences


def core_catalogue() -> Catalogue:
    """The sentences of the core itself."""
    return load(Path(__file__).parent)


def say(key: str, language: str = "en", **values: object) -> str:
    """The core's sentence ``key`` in ``language`` with ``values`` filled in.

    Raises:
        KeyError: there is no such sentence.
    """
    return core_catalogue()[key][language].format(**values)


class UserError(Exception):
    """Something a person can put right, said in one clear sentence of the catalogue."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values

    def text(self, language: str = "en") -> str:
        """The sentence in ``language``."""
        return say(self.key, language, **self.values)

    def __str__(self) -> str:
        return self.text()


class Cancelled(Exception):  # noqa: N818 - it is no error
    """The person asked the work to stop; what was finished until then is kept."""
