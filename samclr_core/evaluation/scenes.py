"""A map of the workspace's own images as a run sees them, labelled or not."""

from samclr_core.evaluation import samples
from samclr_core.evaluation.baselines import sources
from samclr_core.evaluation.evaluate import MAX_POINTS, part
from samclr_core.evaluation.projection import project
from samclr_core.evaluation.results import Point
from samclr_core.jobs import Progress, silent
from samclr_core.training.runs import Run
from samclr_core.workspace import Workspace


def scene_points(workspace: Workspace, run: Run, progress: Progress = silent) -> list[Point]:
    """The images of the workspace on a map of the run's features; empty where there are none.

    Nothing is predicted. Features and map come from the cache where they are there.

    Raises:
        UserError: the run has not finished.
        Cancelled: as ``progress`` asks.
    """
    size = run.config.views.size
    images = samples.thinned(samples.of_workspace(workspace, labelled=False), MAX_POINTS)
    if not images:
        return []
    prepared = samples.prepare(workspace, images, size, part(progress, 0, 40))
    source = sources(workspace, run)["run"]
    values = source.embed(workspace, prepared, part(progress, 40, 80)).values
    places = project(workspace, values)
    progress(100, 100)
    return [
        Point(
            id=image_id,
            name=image.name,
            label=image.label,
            split=None,
            predicted=None,
            correct=None,
            x=float(x),
            y=float(y),
            source=image.source,
            path=image.path,
            image_id=image.image_id,
        )
        for image_id, image, (x, y) in zip(prepared.ids, prepared.samples, places, strict=True)
    ]
