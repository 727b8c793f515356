"""Settings of a robustness study. No torch in here, so that pages stay quick."""

from typing import Annotated, get_args

from pydantic import Field

from samclr_core.config import Config
from samclr_core.regions.config import Damage
from samclr_core.training.config import TrainingConfig

Strength = Annotated[float, Field(gt=0, le=1)]


class StudyConfig(Config):
    """What is tried.

    Attributes:
        training: settings of every run; kind of views and seed are the study's to set.
        kinds: of damage.
        strengths: of each kind; see :class:`samclr_core.regions.config.Perturbation`.
        seeds: trainings at each point, with the seeds 0, 1, ...; the damage is drawn anew with
            each, so that its luck is in the intervals too.
        pairs: drawn for the pair purity of each set of regions.
    """

    training: TrainingConfig
    kinds: tuple[Damage, ...] = Field(default=get_args(Damage), min_length=1)
    strengths: tuple[Strength, ...] = Field(default=(0.2, 0.5), min_length=1)
    seeds: int = Field(default=3, ge=1, le=20)
    pairs: int = Field(default=200, ge=2)

    @property
    def trainings(self) -> int:
        """Runs of the whole study: every damage, the undamaged regions and image views."""
        return (len(set(self.kinds)) * len(set(self.strengths)) + 2) * self.seeds

    def of_views(self, kind: str, seed: int) -> TrainingConfig:
        """The settings of one run."""
        views = self.training.views.model_copy(update={"kind": kind})
        return self.training.model_copy(update={"views": views, "seed": seed})

    def normal(self) -> "StudyConfig":
        """The same study in one way of writing: no doubles, strengths ascending."""
        return self.model_copy(
            update={
                "training": self.of_views("region", 0),
                "kinds": tuple(dict.fromkeys(self.kinds)),
                "strengths": tuple(sorted(set(self.strengths))),
            }
        )
