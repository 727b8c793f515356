"""A folder of images: the encoder works on the next ones while masks of the last are chosen.

Choosing masks leaves cores idle between its steps; the encoder of the next image fills them.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from samclr_core.regions.automatic.segmenter import Embedded, Segmenter

# A GPU is busy with several images at once only; on a CPU that costs memory and gains nothing.
IMAGES_PER_BATCH = {"cuda": 8}


def embedded(
    segmenter: Segmenter, load: Callable[[str], np.ndarray], image_ids: Sequence[str]
) -> Iterator[list[Embedded]]:
    """Images with their embeddings, in order, in batches of what suits the device, one batch ahead.

    Args:
        segmenter: whose encoder.
        load: gives an image by its id.
        image_ids: which images.
    """

    size = IMAGES_PER_BATCH.get(segmenter.model.device.type, 1)
    batches = [image_ids[start : start + size] for start in range(0, len(image_ids), size)]

    def work(batch: Sequence[str]) -> list[Embedded]:
        images = [load(image_id) for image_id in batch]
        embeddings = segmenter.embed_all(images).split(1)
        return [Embedded(*one) for one in zip(batch, images, embeddings, strict=True)]

    # One core is enough for it: the others are busy with masks.
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as beside:
        if not batches:
            return
        ready = work(batches[0])
        for following in batches[1:]:
            coming = beside.submit(work, following)
            yield ready
            ready = coming.result()
        yield ready
