"""How good must the segmentation be? Training on regions damaged on purpose."""
