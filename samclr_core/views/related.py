"""Which pairs of one image may show the same thing: none should be a negative of another."""

from collections.abc import Sequence

import numpy as np

from samclr_core.regions.region import RegionSet
from samclr_core.regions.rle import covered
from samclr_core.views.pair import Cut

# Two regions that share more than this of the smaller one are no strangers: a thing and its part.
SHARED = 0.1


def related(cuts: Sequence[Cut], regions: RegionSet | None) -> np.ndarray:
    """Whether two pairs of an image may show the same thing, bool [pairs, pairs], symmetric.

    They may where they were cut from the same region, from regions of which one lies in or reaches
    into the other, or where one was cut from the whole image.
    """
    found = np.ones((len(cuts), len(cuts)), bool)
    if regions is None:
        return found
    places = [place for place, cut in enumerate(cuts) if cut.region is not None]
    masks = [regions.regions[cut.region].rle for cut in cuts if cut.region is not None]
    shared = covered(masks, masks) > SHARED
    found[np.ix_(places, places)] = shared | shared.T
    return found
