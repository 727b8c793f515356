"""A prompt's image tokens in SAM's decoder, kept in parts; ``folded.py`` says why."""

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class Keys:
    """One prompt's image tokens, in parts.

    Attributes:
        scale: what the layer norms multiplied the content with, [N].
        mix: attention of the image tokens to the prompt's, [r, N]; r = 0 before the first layer.
        rows: what they got from it, [r, C].
        values: the prompt tokens' values that the rows are projections of, [heads, T, d] a layer.
    """

    scale: Tensor
    mix: Tensor
    rows: Tensor
    values: list[Tensor] = field(default_factory=list)

    @classmethod
    def untouched(cls, content: Tensor) -> "Keys":
        """Those of a prompt before the first layer, for the image's content [N, C]."""
        count, channels = content.shape
        return cls(
            content.new_ones(count), content.new_empty(0, count), content.new_empty(0, channels)
        )

    @property
    def fresh(self) -> bool:
        """Whether they are the image's alone still."""
        return not self.values
