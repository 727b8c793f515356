"""Colours that mean the same on every page and in the report, safe for the colour-blind."""

# Okabe and Ito's palette: a kind of views or a baseline has the same colour everywhere.
COLOURS = {
    "region": "#0072B2",
    "image": "#E69F00",
    "colour": "#8C8C8C",
    "start": "#CC79A7",
    "scratch": "#A6611A",
    "view1": "#D55E00",
    "view2": "#009E73",
}
# Damage done to regions on purpose; none of them is a colour of the kinds above.
DAMAGE_COLOURS = {
    "eroded": "#56B4E9",
    "dilated": "#00555A",
    "merged": "#C0392B",
    "split": "#6A3D9A",
    "shifted": "#B8A200",
    "dropped": "#34495E",
}
# Classes: Okabe and Ito first, then hues of other lightness.
CLASS_COLOURS = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#6A3D9A", "#8C8C8C"),
    *("#B8A200", "#00555A", "#A6611A", "#F0A3C4", "#3B3B98", "#7FBF7B", "#C0392B", "#34495E"),
)
