"""What a reader must know about an evaluation before believing it."""

from samclr_core.evaluation.baselines import twin_command
from samclr_core.evaluation.results import Evaluation, Note
from samclr_core.evaluation.samples import Prepared
from samclr_core.evaluation.split import Split
from samclr_core.training.runs import Run
from samclr_core.views.config import OTHER_KIND
from samclr_core.workspace import Workspace

# Below, the 95% interval is wider than about +-10 points.
FEW_TEST_IMAGES = 100
# Of embedding_std, which is about 1 where features are spread evenly.
COLLAPSED = 0.05
NAMES_SHOWN = 5


def about(
    workspace: Workspace,
    run: Run,
    evaluation: Evaluation,
    prepared: Prepared,
    split: Split,
    thinned: int,
) -> list[Note]:
    """The notes on an evaluation, the gravest first; ``thinned`` images were more than taken."""
    notes = _on_features(evaluation) + _on_size(evaluation)
    if evaluation.twin is None:
        kind = OTHER_KIND[evaluation.views]
        notes.append(_note("no_twin", kind=kind, command=twin_command(workspace, run)))
    if seen := len(set(run.images) & {prepared.ids[index] for index in split.test}):
        notes.append(_note("seen", count=seen, total=evaluation.n_test))
    if split.dropped:
        notes.append(_note("classes_dropped", names=_some(split.dropped)))
    return notes + _on_images(evaluation, prepared, thinned)


def _on_features(evaluation: Evaluation) -> list[Note]:
    methods = {name: evaluation.methods.get(name) for name in ("run", "twin")}
    return [
        _note("collapsed", name=method.run or name, value=round(method.embedding_std, 3))
        for name, method in methods.items()
        if method and method.embedding_std < COLLAPSED
    ]


def _on_size(evaluation: Evaluation) -> list[Note]:
    notes = []
    if evaluation.n_test < FEW_TEST_IMAGES:
        low, high = evaluation.methods["run"].linear_probe.ci95
        notes.append(
            _note("few_test_images", count=evaluation.n_test, points=round(100 * (high - low)))
        )
    if not evaluation.methods["run"].linear_probe.C_scores:
        notes.append(_note("default_strength", value=evaluation.methods["run"].linear_probe.C))
    return notes


def _on_images(evaluation: Evaluation, prepared: Prepared, thinned: int) -> list[Note]:
    notes = []
    if prepared.unreadable:
        names = _some(prepared.unreadable)
        notes.append(_note("unreadable", count=len(prepared.unreadable), names=names))
    if prepared.duplicates:
        notes.append(_note("duplicates", count=prepared.duplicates))
    if prepared.enlarged:
        total = len(prepared.samples)
        notes.append(_note("enlarged", count=prepared.enlarged, total=total, size=evaluation.size))
    if thinned:
        notes.append(_note("thinned", count=thinned))
    return notes


def _note(sentence: str, /, **values: str | int | float) -> Note:
    return Note(key=f"evaluation.{sentence}", values=values)


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
