"""What a person sees of work that runs in a process of its own."""

import time
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from samclr_core.jobs import Job, State
from ui import shell
from ui.i18n import plain, sentence, t

LOG_LINES = 200
STATES = {
    State.CREATED: "jobs.created",
    State.RUNNING: "jobs.running",
    State.FINISHED: "jobs.finished",
    State.STOPPED: "jobs.stopped",
    State.FAILED: "jobs.failed",
    State.INTERRUPTED: "jobs.interrupted",
}
ICONS = {
    State.CREATED: ":material/hourglass_empty:",
    State.RUNNING: ":material/play_circle:",
    State.FINISHED: ":material/check_circle:",
    State.STOPPED: ":material/stop_circle:",
    State.FAILED: ":material/error:",
    State.INTERRUPTED: ":material/warning:",
}


class Bar:
    """A progress bar for short work in this process; a :class:`samclr_core.jobs.Progress`."""

    def __init__(self) -> None:
        self._bar = st.progress(0.0)

    def __call__(self, done: int, total: int, note: str = "") -> None:
        self._bar.progress(min(done / max(total, 1), 1.0), plain(note) or None)
        if total and done >= total:
            self._bar.empty()


def state_name(state: State) -> str:
    """The state in the language in use."""
    return t(STATES[state])


def latest(parent: Path, kind: str) -> Job | None:
    """The newest job of that kind, running or ended."""
    folders = sorted(parent.glob(f"*-{kind}*"), key=lambda folder: folder.name)
    return Job(folders[-1]) if folders else None


def running(parent: Path, kind: str) -> bool:
    """Whether the newest job of that kind is at work."""
    job = latest(parent, kind)
    return bool(job and job.state is State.RUNNING)


@st.fragment(run_every=2.0)
def live(
    parent: Path, kind: str, title: str, below: Callable[[Job], None] = lambda _: None
) -> None:
    """The newest job of that kind while it runs, and what is there already ``below``."""
    with shell.one_clear_sentence():
        job = latest(parent, kind)
        if not job or job.state is not State.RUNNING:
            # The whole page then shows what came of it.
            st.rerun()
        panel(job, title)
        below(job)


def panel(job: Job, title: str) -> None:
    """Progress and stop while it runs; what came of it and the log afterwards."""
    if job.state is State.RUNNING:
        _running(job, title)
    else:
        _ended(job, title)
    _log(job)


def _running(job: Job, title: str) -> None:
    step = job.step
    bar, button = st.columns([6, 1], vertical_alignment="bottom")
    share = min(step.done / step.total, 1.0) if step.total else 0.0
    text = t("jobs.step", title=title, done=step.done, total=step.total) if step.total else title
    note = f" · {plain(step.note)}" if step.note else ""
    bar.progress(share, f"{text}{note} · {elapsed(job)}")
    stopping = (job.folder / "stop").exists()
    label = t("jobs.stopping") if stopping else t("jobs.stop")
    if button.button(label, key=f"stop-{job.folder.name}", disabled=stopping, width="stretch"):
        job.stop()


def _ended(job: Job, title: str) -> None:
    state = job.state
    text = t("jobs.ended", title=title, state=state_name(state))
    if state is State.FAILED:
        st.error(sentence(job.error) if job.error else text, icon=ICONS[state])
    elif state is State.INTERRUPTED:
        st.warning(t("jobs.interrupted_help", title=title), icon=ICONS[state])
    elif state is State.STOPPED:
        st.info(text, icon=ICONS[state])


def elapsed(job: Job) -> str:
    """How long it has been at work, as minutes and seconds."""
    started = job.folder / "process.json"
    since = started.stat().st_mtime if started.exists() else time.time()
    return clock(time.time() - since)


def clock(seconds: float) -> str:
    """Seconds as a person says them."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return t("jobs.hours", hours=hours, minutes=minutes)
    return (
        t("jobs.minutes", minutes=minutes, seconds=rest) if minutes else t("jobs.seconds", s=rest)
    )


def brief(seconds: float) -> str:
    """Seconds in one unit, for where there is little room."""
    if seconds < 100:
        return t("jobs.seconds", s=round(max(0.0, seconds)))
    if seconds < 6000:
        return t("jobs.only_minutes", minutes=round(seconds / 60))
    return t("jobs.only_hours", hours=f"{seconds / 3600:.1f}")


def _log(job: Job) -> None:
    log = job.log.strip()
    if log and job.state is not State.FINISHED:
        with st.expander(t("jobs.log"), icon=":material/article:"):
            st.code("\n".join(log.splitlines()[-LOG_LINES:]), language=None, height=240)
