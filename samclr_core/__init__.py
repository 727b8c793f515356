"""SAMCLR without a screen: images, regions, views, training, evaluation, decision."""

import os

# Torch reads it at its first allocation: large tensors in pages of 2 MB, a tenth off SAM's time.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
