"""Which candidates did not become regions, and why."""

import streamlit as st

from ui.i18n import t

REASONS = {
    "low_predicted_iou": "regions.low_predicted_iou",
    "unstable": "regions.unstable",
    "too_small": "regions.too_small",
    "too_large": "regions.too_large",
    "same_box": "regions.same_box",
    "same_mask": "regions.same_mask",
    "contained": "regions.contained",
    "empty": "regions.empty",
}


def show(counts: dict[str, int]) -> None:
    """What was not kept, and why."""
    with st.expander(t("regions.dropped", count=sum(counts.values()))):
        st.caption(t("regions.dropped_help"))
        st.dataframe(
            [
                {
                    t("regions.reason"): t(REASONS[reason]) if reason in REASONS else reason,
                    t("regions.candidates"): count,
                }
                for reason, count in sorted(counts.items(), key=lambda item: -item[1])
            ],
            hide_index=True,
        )
