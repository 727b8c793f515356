"""Many small pieces of torch work side by side, one CPU core each.

A decoder step is some hundred operations of a fraction of a millisecond. Sharing each among the
cores costs a meeting of all threads per operation; whole steps side by side need none.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """The results of ``work`` on each item, in order, on as many cores as torch may use.

    A consumer that stops early stops the work: at most the steps that have begun are finished.
    """
    cores = torch.get_num_threads()
    if cores == 1 or torch.cuda.is_available():
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(cancel_futures=True)
        # Part of what the threads set holds for the whole process.
        torch.set_num_threads(cores)


@contextmanager
def one_core() -> Iterator[None]:
    """For a row of small torch operations, in which threads would only wait for each other."""
    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(cores)
