"""A server for the tests of downloads."""

from collections.abc import Iterator
from threading import Thread

import pytest
from weights_server import Server


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
