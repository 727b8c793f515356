"""Going through images with the keyboard: the picture, the keys, and what was said."""

import streamlit as st

from samclr_core.regions.review import events as log
from samclr_core.regions.review.fold import Review
from ui.components.choice import one_of
from ui.components.pictures import shortened
from ui.components.review import canvas
from ui.components.review.desk import MODE, POINT, SAID, SELECT, Desk
from ui.i18n import plain, t

VERDICTS = {
    "good": ("review.good", "1"),
    "usable": ("review.usable", "2"),
    "bad": ("review.bad", "3"),
}
MODES = {SELECT: "review.mode_select", POINT: "review.mode_prompt"}
KINDS = {
    "automatic": "review.automatic",
    "added": "review.added",
    "corrected": "review.corrected",
    "merged": "review.merged",
}


@st.fragment
def work(desk: Desk) -> None:
    """The picture and everything a reviewer does to it; only this part is drawn anew."""
    now = desk.review
    verdicts(desk, now)
    left, right = st.columns([7, 3], gap="medium")
    with right:
        regions(desk, now)
        words(desk, now)
    with left:
        pointing = st.session_state.get(MODE) == POINT
        hint = t("review.hint_prompt" if pointing else "review.hint")
        canvas.show(desk.workspace, now, desk.marks, hint, desk.act)
        st.caption(hint)
    desk.prepare_next()
    if pointing:
        desk.prepare_prompts()


def verdicts(desk: Desk, now: Review) -> None:
    """How far the review is, the verdict on the image, and the way to the next."""
    judged = log.judged(desk.workspace, desk.config.digest(), desk.who) & {
        i.id for i in desk.images
    }
    total = len(desk.images)
    bar, *buttons, back, on = st.columns(
        [5, 3, 3, 3, 2, 2], vertical_alignment="center", gap="small"
    )
    bar.progress(len(judged) / total, t("review.progress", done=len(judged), total=total))
    said = now.verdicts.get(desk.who)
    for column, (verdict, (label, key)) in zip(buttons, VERDICTS.items(), strict=True):
        column.button(
            t(label),
            key=f"review-{verdict}",
            on_click=desk.judge,
            args=(verdict,),
            shortcut=key,
            type="primary" if said and said.text == verdict else "secondary",
            width="stretch",
        )
    steps = (
        (back, ":material/chevron_left:", -1, "Left", desk.place == 0, "review.previous"),
        (on, ":material/chevron_right:", 1, "Right", desk.place + 1 == total, "review.next"),
    )
    for column, icon, by, key, end, text in steps:
        column.button(
            icon,
            key=f"review-step-{key}",
            on_click=desk.step,
            args=(by,),
            shortcut=key,
            disabled=end,
            help=t(text),
            width="stretch",
        )


def title(desk: Desk, now: Review) -> None:
    """Which image it is; and what others say, once this person has said it independently."""
    place = t("review.place", number=desk.place + 1, total=len(desk.images))
    st.markdown(f"**{plain(shortened(desk.image.name, 24))}** :gray[{place}]")
    others = now.verdicts if desk.who in now.verdicts else {}
    for who, event in others.items():
        if who != desk.who:
            st.caption(t("review.said", who=plain(who), verdict=t(VERDICTS[event.text][0])))


def regions(desk: Desk, now: Review) -> None:
    """What is selected, and what can be done about it."""
    title(desk, now)
    one_of(t("review.mode"), MODES, SELECT, key=MODE, labelled=False, on_change=desk.forget_prompt)
    if st.session_state[SAID]:
        st.warning(st.session_state[SAID])
    st.caption(about(desk, now))
    if desk.proposal:
        proposal(desk)
        return
    nothing = not desk.selected
    rows = (
        ("review.keep", desk.keep, (), "K", nothing),
        ("review.drop", desk.drop, (), "D", nothing),
        ("review.merge", desk.merge, (), "M", nothing),
        ("review.undo", desk.undo, (), "U", False),
        ("review.region", desk.select, (-1,), "Up", False),
        ("review.region", desk.select, (1,), "Down", False),
        ("review.drop_all", desk.drop_all, (), "X", not now.kept),
        ("review.photo" if desk.coloured else "review.colours", desk.bare, (), "H", False),
    )
    for column, (label, action, values, key, off) in zip(_grid(), rows, strict=True):
        column.button(
            t(label),
            key=f"review-key-{key}",
            on_click=action,
            args=values,
            shortcut=key,
            disabled=off,
            width="stretch",
        )


def proposal(desk: Desk) -> None:
    """What SAM answered, to be accepted or not."""
    accept = "review.replace" if len(desk.selected) == 1 else "review.add"
    st.button(
        t(accept), on_click=desk.accept, shortcut="Enter", type="primary", width="stretch",
        icon=":material/check:",
    )  # fmt: skip
    st.button(t("review.discard"), on_click=desk.forget_prompt, shortcut="Escape", width="stretch")


def about(desk: Desk, now: Review) -> str:
    """The regions in numbers, and what is selected, in a sentence."""
    counts = t("review.counts", kept=len(now.kept), dropped=len(now.dropped))
    if desk.proposal:
        return t("review.proposed", iou=f"{min(desk.proposal.predicted_iou, 1):.2f}")
    if desk.anchor:
        return t("review.merge_with")
    chosen = [item for item in (*now.kept, *now.dropped) if item.id in desk.selected]
    if len(chosen) != 1:
        return counts if not chosen else t("review.several", count=len(chosen))
    item = chosen[0]
    share = item.region.area / (now.before.width * now.before.height)
    state = t("review.is_dropped") if item in now.dropped else t(KINDS[item.origin])
    who = t("review.by", who=plain(item.event.who)) if item.event else ""
    return t("review.selected", share=f"{share:.1%}", state=state, who=who)


def words(desk: Desk, now: Review) -> None:
    """Comments."""
    key = "review-comment"
    st.text_input(
        t("review.comment"),
        key=key,
        on_change=desk.comment,
        args=(key,),
        label_visibility="collapsed",
        placeholder=t("review.comment"),
    )
    for event in now.comments[-3:]:
        st.caption(f"{plain(event.who)}: {plain(event.text)}")


def _grid() -> list:
    """Places for eight buttons, two in a row."""
    return [column for _ in range(4) for column in st.columns(2, gap="small")]
