"""What a robustness study found: kept in the workspace, read by pages and the command line."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from samclr_core.estimate import Estimate
from samclr_core.evaluation.robustness.config import StudyConfig
from samclr_core.regions.config import Damage
from samclr_core.workspace import Workspace, write_atomic

Kind = Damage | Literal["undamaged", "image"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Row(_Frozen):
    """One set of regions, over all seeds.

    Attributes:
        kind: of damage; ``undamaged`` for the regions in use, ``image`` for image views.
        strength: of the damage, 0 where there is none.
        mean_best_iou: of the undamaged regions in these, 0 to 1; None for image views.
        purity: pair purity of the views, 0 to 1.
        accuracy: of the linear probe, over seeds and test images.
        change: accuracy minus that of the undamaged regions, paired by seed and test image.
        gain: accuracy minus that of image views, paired in the same way.
        runs: that it rests on, by seed.
    """

    kind: Kind
    strength: float
    mean_best_iou: float | None
    purity: float
    accuracy: Estimate
    change: Estimate
    gain: Estimate
    runs: list[str]

    @property
    def damaged(self) -> bool:
        return self.kind not in ("undamaged", "image")


class Study(_Frozen):
    """How accuracy falls with the quality of the regions.

    Attributes:
        name: of its file.
        created: seconds since 1970.
        config: its settings.
        data_name: what to call the labelled images.
        reference: what pair purity was judged by, ``labels`` or ``regions``.
        n_test: test images.
        rows: image views, the undamaged regions, then every damage.
        seconds: machine time of all trainings, also of those that were there already.
    """

    name: str
    created: float
    config: StudyConfig
    data_name: str
    reference: Literal["labels", "regions"]
    n_test: int
    rows: list[Row]
    seconds: float

    def row(self, kind: Kind) -> Row:
        """The first row of that kind."""
        return next(row for row in self.rows if row.kind == kind)

    def table(self) -> list[dict[str, Any]]:
        """The figures alone, as the command line prints them."""
        return [_brief(row) for row in self.rows]


def _brief(row: Row) -> dict[str, Any]:
    iou = row.mean_best_iou
    return {
        "kind": row.kind,
        "strength": row.strength,
        "mean_best_iou": None if iou is None else round(iou, 4),
        "purity": round(row.purity, 4),
        "accuracy": round(row.accuracy.mean, 4),
        "ci95": [round(row.accuracy.low, 4), round(row.accuracy.high, 4)],
        "change": [round(value, 4) for value in vars(row.change).values()],
        "gain": [round(value, 4) for value in vars(row.gain).values()],
    }


def save(workspace: Workspace, study: Study) -> None:
    path = workspace.robustness / f"{study.name}.json"
    write_atomic(path, study.model_dump_json(indent=1).encode())


def studies(workspace: Workspace) -> list[Study]:
    """The studies of a workspace, newest first; files of another make are passed over."""
    found = []
    for path in workspace.robustness.glob("*.json"):
        try:
            found.append(Study.model_validate_json(path.read_text(encoding="utf-8")))
        except ValidationError:
            continue
    return sorted(found, key=lambda study: study.created, reverse=True)
