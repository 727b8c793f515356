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
    with _pool() as pool:
        yield from (pool.map if pool else map)(work, items)


@contextmanager
def on_one_core() -> Iterator[None]:
    """Small operations inside do not share the cores among themselves: a meeting costs more."""
    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(cores)


@contextmanager
def _pool() -> Iterator[ThreadPoolExecutor | None]:
    """A thread for each core that torch may use; None where one thread does it all."""
    cores = torch.get_num_threads()
    if cores == 1 or torch.cuda.is_available():
        yield None
        return
    pool = ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,))
    with on_one_core():
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)
