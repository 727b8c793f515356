"""Methods, by the name of their loss; each goes with ``image`` and with ``region`` views.

To add one: a class like :class:`~samclr_core.training.methods.simclr.SimCLR`, a line here, and its
name in ``config.Loss``.
"""

from samclr_core.training.config import Loss
from samclr_core.training.methods.dino import DINO
from samclr_core.training.methods.method import Method, Outcome
from samclr_core.training.methods.moco import MoCo
from samclr_core.training.methods.simclr import SimCLR

__all__ = ["METHODS", "Method", "Outcome"]

METHODS: dict[Loss, type[Method]] = {"simclr": SimCLR, "moco": MoCo, "dino": DINO}
