"""Why a proposed mask does not become a region."""

LOW_IOU = "low_predicted_iou"
UNSTABLE = "unstable"
TOO_SMALL = "too_small"
TOO_LARGE = "too_large"
SAME_BOX = "same_box"
SAME_MASK = "same_mask"
CONTAINED = "contained"
EMPTY = "empty"
REASONS = (LOW_IOU, UNSTABLE, TOO_SMALL, TOO_LARGE, SAME_BOX, SAME_MASK, CONTAINED, EMPTY)
