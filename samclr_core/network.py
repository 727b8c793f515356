"""What all downloads share."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 10.0


@contextmanager
def patience(seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Give up on a silent address: libraries' own downloads often set no time limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
