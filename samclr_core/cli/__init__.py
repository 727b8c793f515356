"""``samclr``: a thin face of the core. Progress goes to stderr, the result to stdout."""

import typer

from samclr_core.cli import decision, evaluation, images, regions, studio, training, views
from samclr_core.cli.common import CANCELLED_EXIT
from samclr_core.training import ranks

app = typer.Typer(
    help="Find out on your own photos whether contrastive views from SAM regions help.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(images.app, name="images")
app.add_typer(regions.app, name="regions")
app.command("views")(views.views)
app.command("train")(training.train)
app.command("export")(training.export)
app.command("evaluate")(evaluation.evaluate)
app.command("robustness")(evaluation.robustness)
app.command("study")(evaluation.study)
app.command("report")(decision.report)
app.command("demo")(decision.demo)
app.command("weights")(regions.weights)
app.command("app")(studio.start)


def main() -> None:
    """The entry point of the command ``samclr``; of several processes, the first one's."""
    if ranks.rank() != ranks.FIRST:
        from samclr_core.training.follower import follow

        return follow()
    try:
        app()
    except SystemExit as end:
        # After an error the others may be in the midst of a step; torchrun ends them.
        if end.code in (0, CANCELLED_EXIT):
            ranks.announce(None)
        raise
