"""Arrays that are kept on disk."""

import gc
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from samclr_core import cache


class _Garbage:
    """Refers to itself and sleeps when it is collected: other threads go on in the middle of it."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        time.sleep(1e-6)


@pytest.fixture
def restless_threads():
    """Threads change, and garbage is collected, as often as can be."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-5)
    gc.set_threshold(5, 2, 2)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*thresholds)


def test_threads_read_arrays_at_the_same_time(tmp_path, restless_threads):
    path = tmp_path / "array.npy"
    cache.write_one(path, np.arange(12.0).reshape(3, 4))
    started = threading.Barrier(4)

    def read_often(_number: int) -> float:
        started.wait()
        total = 0.0
        for _ in range(300):
            _Garbage()
            total += cache.read_one(path, mapped=True).sum()
        return total

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(read_often, range(4))) == [300 * 66.0] * 4


def test_one_array_comes_back_as_it_was(tmp_path):
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    cache.write_one(tmp_path / "array.npy", array)
    for mapped in (False, True):
        found = cache.read_one(tmp_path / "array.npy", mapped)
        assert found.dtype == array.dtype
        assert np.array_equal(found, array)
        found[0, 0] = 9
    assert np.array_equal(cache.read_one(tmp_path / "array.npy"), array)
