"""Where crops are cut: settings of the whole workspace, which training uses, too."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from samclr_core.views.config import ViewsConfig
from samclr_core.workspace import Workspace
from ui.i18n import language, t

SETTING = "views"
OUTSIDE = {
    "keep": "views.outside_keep",
    "mean": "views.outside_mean",
    "blur": "views.outside_blur",
    "noise": "views.outside_noise",
}
CHOICES = {
    "uniform": "views.choice_uniform",
    "area": "views.choice_area",
    "sqrt_area": "views.choice_sqrt_area",
    "score": "views.choice_score",
    "solidity": "views.choice_solidity",
    "aspect": "views.choice_aspect",
}
Keep = Callable[[str], None]
SIZES = (32, 64, 96, 128, 160, 224)


def settings(workspace: Workspace) -> ViewsConfig:
    """The settings as they are kept; a change is kept at once.

    Every widget has a key, by which it stays the same one however its value changes: one that
    had its value as a default would be a new one after each change, and would miss the next.
    """
    now = _kept(workspace)
    for name, value in _shown(now).items():
        # Somebody else may have changed it; what is equal is left alone, under a moving hand.
        if st.session_state.get(_key(name)) != value:
            st.session_state[_key(name)] = value

    def keep(name: str) -> None:
        changed = _meant(name, st.session_state[_key(name)])
        config = ViewsConfig.of(_kept(workspace).model_dump(mode="json") | changed)
        workspace.remember(SETTING, config.model_dump(mode="json"))

    with st.expander(t("views.settings"), icon=":material/tune:"):
        st.caption(t("views.settings_help"))
        left, middle, right = st.columns(3, gap="large")
        with left:
            _which(keep)
        with middle:
            _where(keep)
        with right:
            _what(keep, now.size)
    return now


def _kept(workspace: Workspace) -> ViewsConfig:
    return ViewsConfig.of(workspace.setting(SETTING) or {})


def _key(name: str) -> str:
    # A keyed choice goes on showing its name in the language it was made in.
    return f"views-setting-{name}-{language()}"


def _shown(config: ViewsConfig) -> dict[str, object]:
    """What the widgets show: shares in percent."""
    return {
        "choice": config.choice,
        "area": (round(config.min_area * 100, 1), round(config.max_area * 100, 1)),
        "max_borders": config.max_borders,
        "max_nested": config.max_nested,
        "max_depth": config.max_depth,
        "scale": _percent(config.scale),
        "region_scale": _percent(config.region_scale),
        "margin": round(config.margin * 100),
        "min_coverage": round(config.min_coverage * 100),
        "outside": config.outside,
        "size": config.size,
    }


def _meant(name: str, value: Any) -> dict[str, object]:
    """The settings that a widget stands for."""
    if name == "area":
        return {"min_area": value[0] / 100, "max_area": value[1] / 100}
    if name in ("scale", "region_scale"):
        return {name: (value[0] / 100, value[1] / 100)}
    if name in ("margin", "min_coverage"):
        return {name: value / 100}
    return {name: value}


def _percent(share: tuple[float, float]) -> tuple[int, int]:
    return round(share[0] * 100), round(share[1] * 100)


def _tied(keep: Keep, name: str) -> Any:
    """What ties a widget to its setting."""
    return {"key": _key(name), "on_change": keep, "args": (name,)}


def _which(keep: Keep) -> None:
    st.selectbox(
        t("views.choice"),
        list(CHOICES),
        format_func=lambda c: t(CHOICES[c]),
        **_tied(keep, "choice"),
    )
    st.slider(
        t("views.area"),
        0.0,
        100.0,
        step=0.1,
        format="%.1f%%",
        help=t("views.area_help"),
        **_tied(keep, "area"),
    )
    st.slider(t("views.borders"), 0, 4, help=t("views.borders_help"), **_tied(keep, "max_borders"))
    for name, text in (("max_nested", t("views.nested")), ("max_depth", t("views.depth"))):
        # Left empty for no limit.
        hint = t("views.no_limit")
        st.number_input(
            text, 0, value=None, step=1, placeholder=hint, help=hint, **_tied(keep, name)
        )


def _where(keep: Keep) -> None:
    _shares(t("views.scale"), "scale", keep, least=1)
    _shares(t("views.region_scale"), "region_scale", keep, least=1)
    _shares(t("views.margin"), "margin", keep, most=200, step=5, help=t("views.margin_help"))
    _shares(t("views.coverage"), "min_coverage", keep, help=t("views.coverage_help"))


def _shares(
    label: str,
    name: str,
    keep: Keep,
    least: int = 0,
    most: int = 100,
    step: int = 1,
    help: str | None = None,
) -> None:
    st.slider(label, least, most, step=step, format="%d%%", help=help, **_tied(keep, name))


def _what(keep: Keep, size: int) -> None:
    st.selectbox(
        t("views.outside"),
        list(OUTSIDE),
        format_func=lambda o: t(OUTSIDE[o]),
        help=t("views.outside_help"),
        **_tied(keep, "outside"),
    )
    st.select_slider(t("views.size"), sorted({*SIZES, size}), **_tied(keep, "size"))
