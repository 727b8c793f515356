"""What a study tries, read from a YAML file. No torch in here, so that readers stay quick."""

from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import Field

from samclr_core.config import Config, with_changes
from samclr_core.messages import UserError
from samclr_core.training.config import PRESETS, Loss, TrainingConfig
from samclr_core.views.config import Kind

# Settings of a training that decide what its backbone starts from.
_START = {"backbone", "weights", "small_stem"}
PLAIN = ""
"""The variant that changes nothing."""


class Cell(NamedTuple):
    """One method on one set of images: what is trained once for every seed."""

    images: str
    loss: Loss
    views: Kind
    variant: str


class Contender(NamedTuple):
    """What a row of the table is about: a cell's runs, or what they started from.

    Attributes:
        cell: the trainings.
        method: ``run``, or ``start`` for the frozen backbone before them.
    """

    cell: Cell
    method: str


class Comparison(Config):
    """A further difference: two rows of one loss, each by its name.

    The plain rows are called by their kind of views, a variant's by its name; where a variant is
    tried with both kinds, ``<name>, image`` and ``<name>, region``. What they started from is
    called ``start``, and ``<name>, start`` where a variant has another start.

    Attributes:
        row: the one that may be better.
        beside: the one that is subtracted.
    """

    row: str
    beside: str


class Variant(Config):
    """A further row of the table: the same but for some settings.

    Attributes:
        settings: of the training, as ``views.outside: mean``.
        losses: which losses it is tried with; all of the study's by default.
        views: which kinds of views it is tried with; all of the study's by default.
        judge: a row of the same loss, by its name (see :class:`Comparison`). Its run of the same
            seed finds out how difficult regions are, and difficult ones are drawn more often.
    """

    settings: dict[str, Any] = Field(default_factory=dict)
    losses: tuple[Loss, ...] | None = None
    views: tuple[Kind, ...] | None = None
    judge: str = ""


class StudyConfig(Config):
    """A grid: every loss with every kind of views on every set of images, judged by all data.

    Attributes:
        title: of its page.
        images: folders of photos to learn from, by name; the last part may be a pattern of file
            names, as ``photos/line1_*.jpg``.
        most_images: so many of each folder at most, from its whole length; all by default.
        data: labelled folders to judge by, by name.
        losses: see :class:`TrainingConfig`.
        views: kinds of views.
        variants: further rows, by name.
        comparisons: further differences than those to plain ``image`` views.
        seeds: trainings of each row, with the seeds 0, 1, ...
        preset: of the trainings.
        settings: of the trainings, over the preset's, as ``epochs: 20`` or ``views.size: 64``.
        regions: preset of the segmenter, for ``region`` views.
        fine_tune: whether to train whole networks on the labels as well, from every encoder and
            from scratch; takes minutes each.
        curves: whether to fit the probe on few labels as well (:mod:`.label_efficiency`).
    """

    title: str = ""
    images: dict[str, Path] = Field(min_length=1)
    data: dict[str, Path] = Field(min_length=1)
    losses: tuple[Loss, ...] = Field(default=("simclr",), min_length=1)
    views: tuple[Kind, ...] = Field(default=("image", "region"), min_length=1)
    variants: dict[str, Variant] = Field(default_factory=dict)
    comparisons: tuple[Comparison, ...] = ()
    most_images: int | None = Field(default=None, ge=2)
    seeds: int = Field(default=3, ge=1, le=20)
    preset: str = "quick"
    settings: dict[str, Any] = Field(default_factory=dict)
    regions: str = "draft"
    fine_tune: bool = False
    curves: bool = False

    def cells(self) -> list[Cell]:
        """All that is trained; what others are compared with comes first."""
        plain = product(self.images, self.losses, self.views, [PLAIN])
        changed = (
            (images, loss, views, name)
            for name, variant in self.variants.items()
            for images, loss, views in product(
                self.images, variant.losses or self.losses, variant.views or self.views
            )
        )
        return [Cell(*cell) for cell in (*plain, *changed)]

    def starts(self, images: str) -> dict[str, Cell]:
        """A cell for every different start of the networks, by variant; the plain one is first."""
        found: dict[str, Cell] = {}
        known = set()
        for cell in self.cells():
            start = self.training(cell, 0).model_dump(include=_START)
            if cell.images == images and str(start) not in known:
                known.add(str(start))
                found[cell.variant] = cell
        return found

    def contenders(self, images: str, loss: Loss) -> dict[str, Contender]:
        """What can be compared on one set of images, by name (see :class:`Comparison`)."""
        starts = {
            ", ".join(filter(None, (variant, "start"))): Contender(cell, "start")
            for variant, cell in self.starts(images).items()
        }
        cells = [cell for cell in self.cells() if (cell.images, cell.loss) == (images, loss)]
        return starts | {self._name(cell): Contender(cell, "run") for cell in cells}

    def _name(self, cell: Cell) -> str:
        variant = self.variants.get(cell.variant)
        if variant is None:
            return cell.views
        alone = len(variant.views or self.views) == 1
        return cell.variant if alone else f"{cell.variant}, {cell.views}"

    def judge(self, cell: Cell) -> Cell | None:
        """Whose runs find out how difficult the regions of ``cell`` are, where its variant says so.

        Raises:
            UserError: there is no such row, or it was not trained, or it has a judge itself.
        """
        variant = self.variants.get(cell.variant)
        if variant is None or not variant.judge:
            return None
        rows = self.contenders(cell.images, cell.loss)
        judges = {
            name: row.cell
            for name, row in rows.items()
            if row.method == "run" and not self._has_judge(row.cell)
        }
        if variant.judge not in judges:
            raise UserError(
                "evaluation.study_unknown_judge", name=variant.judge, known="; ".join(judges)
            )
        return judges[variant.judge]

    def _has_judge(self, cell: Cell) -> bool:
        return cell.variant != PLAIN and self.variants[cell.variant].judge != ""

    def reference(self, cell: Cell) -> Cell | None:
        """The image views that a row is compared with: of its own variant, else the plain ones.

        None where there are none, and for the plain image views themselves.
        """
        image = cell._replace(views="image")
        likely = (image, image._replace(variant=PLAIN))
        return next((one for one in likely if one != cell and one in self.cells()), None)

    def compared(self, images: str) -> list[tuple[Loss, Comparison, Contender, Contender]]:
        """Every further difference on one set of images, for each loss that has both rows."""
        found = []
        for loss in self.losses:
            known = self.contenders(images, loss)
            found += [
                (loss, pair, known[pair.row], known[pair.beside])
                for pair in self.comparisons
                if {pair.row, pair.beside} <= known.keys()
            ]
        return found

    def training(self, cell: Cell, seed: int) -> TrainingConfig:
        """The settings of one training.

        Raises:
            UserError: there is no such preset or setting, or a value is out of its range.
        """
        variant = self.variants.get(cell.variant)
        changes = self.settings | (variant.settings if variant else {})
        own = {"loss": cell.loss, "views.kind": cell.views, "seed": seed}
        return with_changes(PRESETS, self.preset, changes | own)


def files(pattern: Path) -> list[Path]:
    """The files whose names are like the pattern's last part, in order."""
    return sorted(pattern.parent.glob(pattern.name))


def read(path: Path) -> StudyConfig:
    """The study in a YAML file; its paths count from the file's own folder.

    Raises:
        UserError: there is no such file, it is no YAML, or a setting is wrong.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError("evaluation.study_unreadable", path=path) from error
    if not isinstance(values, dict):
        raise UserError("evaluation.study_unreadable", path=path)
    config = StudyConfig.of(values)
    found = {
        part: {name: path.parent / folder for name, folder in getattr(config, part).items()}
        for part in ("images", "data")
    }
    for folder in (*found["images"].values(), *found["data"].values()):
        if not folder.exists() and not files(folder):
            raise UserError("evaluation.study_without_folder", path=folder)
    # All settings are looked at before the first hour is spent.
    for cell in config.cells():
        config.training(cell, 0)
        config.judge(cell)
    _refuse_unknown_rows(config)
    return config.model_copy(update=found)


def _refuse_unknown_rows(config: StudyConfig) -> None:
    known = {
        name: None
        for images, loss in product(config.images, config.losses)
        for name in config.contenders(images, loss)
    }
    for pair in config.comparisons:
        for name in (pair.row, pair.beside):
            if name not in known:
                raise UserError("evaluation.study_unknown_row", name=name, known="; ".join(known))
