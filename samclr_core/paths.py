"""Paths as people name them."""

import os.path
from pathlib import Path


def expanded(path: str | Path) -> Path:
    """The path with ``~`` as the home folder, ``~name`` as that of somebody who is known here.

    Another ``~name`` stays as it is and is not there, where pathlib fails without a clear sentence.
    """
    return Path(os.path.expanduser(path))
