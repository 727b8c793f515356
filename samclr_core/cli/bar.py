"""How far the work is, for a person at a terminal."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress


class Bar:
    """A progress bar on stderr that is called like :class:`samclr_core.jobs.Progress`."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._rich = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True),
        )

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._rich.tasks:
            self._rich.stop()

    def __call__(self, done: int, total: int, note: str = "") -> None:
        if not self._rich.tasks:
            # Only now, so that a refusal is one sentence and not a sentence below an empty bar.
            self._rich.start()
            self._rich.add_task(self._title, note="")
        task = self._rich.task_ids[0]
        self._rich.update(task, completed=done, total=total, note=note)
