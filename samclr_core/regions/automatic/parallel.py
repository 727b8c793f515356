"""Many small pieces of torch work side by side, one CPU core each.

A decoder step is some hundred operations of a fraction of a millisecond. Sharing each among the
cores costs a meeting of all threads per operation; whole steps side by side need none.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")
# Items that may be at work before the consumer has seen the results of those before them.
LOOK_AHEAD = 2


def in_parallel(work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """The results of ``work`` on each item, in order, on as many cores as torch may use.

    A consumer that stops early stops the work: at most the steps that have begun are finished.
    """
    with _pool() as pool:
        yield from (pool.map if pool else map)(work, items)


def ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result]]:
    """Each item with the result of ``work`` on it, in order, a few items ahead of the consumer.

    Unlike with :func:`in_parallel`, which items come may depend on what the consumer makes of
    earlier results; of the last few it does not know yet.
    """
    with _pool() as pool:
        waiting: deque[tuple[Item, Future[Result]]] = deque()
        for item in items:
            if pool is None:
                yield item, work(item)
                continue
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) > LOOK_AHEAD:
                earliest, result = waiting.popleft()
                yield earliest, result.result()
        yield from ((item, result.result()) for item, result in waiting)


@contextmanager
def _pool() -> Iterator[ThreadPoolExecutor | None]:
    """A thread for each core that torch may use; None where one thread does it all."""
    cores = torch.get_num_threads()
    if cores == 1 or torch.cuda.is_available():
        yield None
        return
    pool = ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,))
    # The consumer's own small operations do not share the cores among themselves, either.
    torch.set_num_threads(1)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(cores)
