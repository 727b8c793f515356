"""What all processes but the first do."""

from contextlib import suppress

from samclr_core.messages import Cancelled
from samclr_core.training import ranks
from samclr_core.training.loop import train
from samclr_core.training.runs import Run
from samclr_core.workspace import Workspace


def follow() -> None:
    """Train along with the first process, run by run, until it lets the others go."""
    while announced := ranks.heard():
        with suppress(Cancelled):
            train(Workspace(announced.workspace), Run(announced.run))
