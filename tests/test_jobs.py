"""A job's folder tells the truth, whatever happens to the process that works in it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from samclr_core import jobs
from samclr_core.jobs import Job, State, Step, at_work
from samclr_core.messages import Cancelled, UserError
from samclr_core.workspace import read_json, write_json

WORKER = """
import sys, time
from pathlib import Path
from samclr_core.jobs import at_work
with at_work(Path(sys.argv[1])) as progress:
    for n in range(600):
        progress(n, 600, "写真")
        time.sleep(0.05)
"""


@pytest.fixture
def worker(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path)])
    wait_for(lambda: Job(tmp_path).step.total == 600)
    yield process
    process.kill()
    process.wait()


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_folder_nobody_has_worked_in(tmp_path):
    job = Job(tmp_path)
    assert job.state is State.CREATED
    assert (job.step, job.result, job.error, job.log) == (Step(), None, None, "")


def test_work_that_ends_well(tmp_path):
    with at_work(tmp_path) as progress:
        progress(3, 10, "photo")
        assert Job(tmp_path).state is State.RUNNING
        jobs.write_result(tmp_path, {"answer": 42})
    assert Job(tmp_path).state is State.FINISHED
    assert Job(tmp_path).step == Step(3, 10, "photo")
    assert Job(tmp_path).result == {"answer": 42}


def test_work_that_fails_says_why_in_both_languages(tmp_path):
    with pytest.raises(UserError), at_work(tmp_path):
        raise UserError("images.empty", name="a.png")
    assert Job(tmp_path).state is State.FAILED
    assert "a.png" in Job(tmp_path).error.text("ja")


def test_an_unexpected_error_is_a_sentence_and_a_log(tmp_path):
    with pytest.raises(ZeroDivisionError), at_work(tmp_path):
        raise ZeroDivisionError("oh")
    assert "ZeroDivisionError: oh" in str(Job(tmp_path).error)
    assert "Traceback" in Job(tmp_path).log


def test_stop_ends_the_work_at_its_next_step(tmp_path, worker):
    Job(tmp_path).stop()
    wait_for(lambda: Job(tmp_path).state is State.STOPPED)


def test_a_killed_process_is_interrupted(tmp_path, worker):
    assert Job(tmp_path).state is State.RUNNING
    os.kill(worker.pid, signal.SIGKILL)
    # Not reaped yet: a zombie is no more at work than a process that is gone.
    wait_for(lambda: Job(tmp_path).state is State.INTERRUPTED)
    worker.wait()
    assert Job(tmp_path).state is State.INTERRUPTED


def test_another_process_with_the_same_number_is_not_ours(tmp_path):
    with at_work(tmp_path):
        process = read_json(tmp_path / "process.json")
        write_json(tmp_path / "process.json", process | {"started": process["started"] - 60})
        assert Job(tmp_path).state is State.INTERRUPTED


def test_on_another_machine_the_heartbeat_tells(tmp_path):
    with at_work(tmp_path):
        wait_for((tmp_path / "heartbeat").exists)
        process = read_json(tmp_path / "process.json")
        write_json(tmp_path / "process.json", process | {"host": "elsewhere"})
        assert Job(tmp_path).state is State.RUNNING
        long_ago = time.time() - jobs.SILENCE_SECONDS - 5
        os.utime(tmp_path / "heartbeat", (long_ago, long_ago))
        assert Job(tmp_path).state is State.INTERRUPTED


def test_a_stop_of_last_time_does_not_stop_the_next(tmp_path):
    def work_until_stopped():
        with at_work(tmp_path) as progress:
            Job(tmp_path).stop()
            progress(1, 2)

    with pytest.raises(Cancelled):
        work_until_stopped()
    with at_work(tmp_path) as progress:
        progress(1, 2)
    assert Job(tmp_path).state is State.FINISHED


def test_launch_runs_a_command_detached(tmp_path):
    job = jobs.launch(
        tmp_path / "job", ["images", "add", str(tmp_path / "no"), "-w", str(tmp_path)]
    )
    wait_for(lambda: job.state is State.FAILED)
    assert job.error.key == "images.no_such_path"
    # The folder knows the end before the command prints its sentence.
    wait_for(lambda: "no file or folder" in job.log)


def test_nobody_starts_twice_in_one_folder(tmp_path, worker):
    with pytest.raises(UserError) as error:
        jobs.launch(tmp_path, ["--help"])
    assert error.value.key == "core.already_running"


def test_new_folders_never_collide(tmp_path):
    folders = {jobs.new_folder(tmp_path, "regions") for _ in range(5)}
    assert len(folders) == 5
