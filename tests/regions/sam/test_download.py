"""Downloads against a real HTTP server on this machine: right, wrong, silent and broken ones."""

import time

import pytest
from weights_server import CONTENT, SHA256, Server

from samclr_core.messages import Cancelled, UserError
from samclr_core.regions.sam.download import download

PATIENCE = 1.0


def test_a_file_arrives_whole_with_its_progress(server, tmp_path):
    told = []
    target = tmp_path / "cache" / "sam.pt"
    download(server.url("whole"), target, SHA256, lambda *step: told.append(step))
    assert target.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT), "sam.pt")
    assert [path.name for path in target.parent.iterdir()] == ["sam.pt"]


def test_another_content_is_not_kept(server, tmp_path):
    with pytest.raises(UserError) as error:
        download(server.url("whole"), tmp_path / "sam.pt", "0" * 64)
    assert error.value.key == "regions.wrong_checksum"
    assert SHA256 in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", ["missing", "silent", "stalled", "cut_off", "babble"])
def test_what_does_not_answer_rightly_is_given_up_in_time(server, tmp_path, path):
    started = time.monotonic()
    with pytest.raises(UserError) as error:
        download(server.url(path), tmp_path / "sam.pt", SHA256, patience=PATIENCE)
    assert error.value.key == "regions.unreachable"
    assert server.url(path) in str(error.value)
    assert time.monotonic() - started < 10, "a deadline, not a speed"
    assert not list(tmp_path.iterdir())


def test_nobody_at_the_address(tmp_path):
    server = Server()
    url = server.url("whole")
    server.server_close()
    with pytest.raises(UserError, match="could not be reached"):
        download(url, tmp_path / "sam.pt", SHA256)


def test_an_older_file_stays_when_the_new_one_fails(server, tmp_path):
    target = tmp_path / "sam.pt"
    target.write_bytes(b"older")
    with pytest.raises(UserError):
        download(server.url("cut_off"), target, SHA256, patience=PATIENCE)
    assert target.read_bytes() == b"older"


def test_a_stop_leaves_nothing_behind(server, tmp_path):
    def stop(done: int, total: int, note: str = "") -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        download(server.url("whole"), tmp_path / "sam.pt", SHA256, stop)
    assert not list(tmp_path.iterdir())
