"""What a reviewer has on the desk: one image, what is selected in it, and every key's meaning."""

import threading
from collections.abc import Callable, Sequence
from functools import wraps

import streamlit as st

from samclr_core.images.catalogue import ImageRecord
from samclr_core.messages import UserError
from samclr_core.regions import store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.prompting import Prompter
from samclr_core.regions.review.actions import Reviewer
from samclr_core.regions.review.fold import Review, Reviewed, review
from samclr_core.workspace import Workspace
from ui.components.review import canvas
from ui.components.review.canvas import Marks
from ui.i18n import core_text, t

AT, SELECTED, ANCHOR, PROMPT, SAID, BARE = (
    f"review-{name}" for name in ("at", "selected", "anchor", "prompt", "said", "bare")
)
MODE = "review-mode"
SELECT, POINT = "select", "prompt"
EMBEDDING = threading.Lock()
NOTHING: dict = {"points": (), "box": None, "region": None}


def _said(action: Callable) -> Callable:
    """Callbacks run before the page, where nothing would turn an error into a sentence."""

    @wraps(action)
    def safely(*arguments: object) -> None:
        st.session_state[SAID] = None
        try:
            action(*arguments)
        except UserError as error:
            st.session_state[SAID] = core_text(error.key, error.values)

    return safely


class Desk:
    """One reviewer at work on the images of a workspace.

    Everything that a key, a button or a click does is a method; what it leaves behind is in the
    session, since the page is drawn anew after each.
    """

    def __init__(
        self,
        workspace: Workspace,
        images: Sequence[ImageRecord],
        config: SegmenterConfig,
        who: str,
    ) -> None:
        self.workspace = workspace
        self.images = images
        self.config = config
        self.who = who
        self._ids = [image.id for image in images]
        if st.session_state.get(AT) not in self._ids:
            st.session_state[AT] = self._ids[0]
        for key, start in (
            (SELECTED, ()),
            (ANCHOR, None),
            (PROMPT, NOTHING),
            (SAID, None),
            (BARE, False),
        ):
            st.session_state.setdefault(key, start)

    @property
    def image(self) -> ImageRecord:
        return self.images[self.place]

    @property
    def place(self) -> int:
        """Which of the images is on the desk, from 0."""
        return self._ids.index(st.session_state[AT])

    @property
    def reviewer(self) -> Reviewer:
        return Reviewer(self.workspace, self.who, self.config)

    @property
    def review(self) -> Review:
        """The image on the desk as it is now."""
        return review(self.workspace, self.image.id, self.config)

    @property
    def selected(self) -> tuple[str, ...]:
        return st.session_state[SELECTED]

    @property
    def anchor(self) -> str | None:
        """The region that waits for the one it shall be merged with."""
        return st.session_state[ANCHOR]

    @property
    def proposal(self):
        """The region SAM proposes, which nobody has accepted yet."""
        return st.session_state[PROMPT]["region"]

    @property
    def marks(self) -> Marks:
        points = tuple((x, y, label == 1) for x, y, label in st.session_state[PROMPT]["points"])
        return Marks(self.selected, self.proposal, points, self.coloured)

    @property
    def coloured(self) -> bool:
        return not st.session_state[BARE]

    def bare(self) -> None:
        """Show the photo without the colours, or with them again."""
        st.session_state[BARE] = self.coloured

    @_said
    def step(self, by: int) -> None:
        """The next image, or the one before."""
        self.go_to(self._ids[min(max(self.place + by, 0), len(self._ids) - 1)])

    def go_to(self, image_id: str) -> None:
        st.session_state[AT] = image_id
        self._clear()

    @_said
    def judge(self, verdict: str) -> None:
        """Give a verdict and go on: that is all most images need."""
        self.reviewer.judge(self.image.id, verdict)
        self.go_to(self._ids[min(self.place + 1, len(self._ids) - 1)])

    @_said
    def select(self, by: int) -> None:
        """The next region, largest first, or the one before."""
        names = [item.id for item in self._items()]
        if not names:
            return
        now = names.index(self.selected[-1]) if set(self.selected[-1:]) & set(names) else -1
        first = 0 if by > 0 else len(names) - 1
        chosen = names[(now + by) % len(names)] if now >= 0 else names[first]
        st.session_state[SELECTED] = (chosen,)

    @_said
    def keep(self) -> None:
        self._decide(self.reviewer.keep)

    @_said
    def drop(self) -> None:
        self._decide(self.reviewer.drop)

    @_said
    def drop_all(self) -> None:
        """Nothing of this image shall go into views."""
        if kept := [item.id for item in self.review.kept]:
            self.reviewer.drop(self.image.id, kept)
        self._clear()

    @_said
    def merge(self) -> None:
        """Make one of the selected regions; with one selected, the next one joins it."""
        chosen = tuple(
            dict.fromkeys((self.anchor, *self.selected) if self.anchor else self.selected)
        )
        if len(chosen) == 1:
            st.session_state[ANCHOR] = chosen[0]
            return
        self._merge(chosen)

    @_said
    def undo(self) -> None:
        """Take back what this person said last, and show the image it was about."""
        self._undo()

    def _undo(self) -> None:
        if self.proposal or self.anchor:
            st.session_state[PROMPT], st.session_state[ANCHOR] = NOTHING, None
            return
        taken = self.reviewer.undo()
        if taken is None:
            st.session_state[SAID] = t("review.nothing_to_undo")
        elif taken.image_id in self._ids:
            self.go_to(taken.image_id)

    @_said
    def forget_prompt(self) -> None:
        """What SAM proposed was not it."""
        st.session_state[PROMPT] = NOTHING
        st.session_state[ANCHOR] = None

    @_said
    def accept(self) -> None:
        """The proposed region comes in, in the place of the selected one where there is one."""
        region = self.proposal
        if region and len(self.selected) == 1:
            self.reviewer.correct(self.image.id, self.selected[0], region)
        elif region:
            self.reviewer.add(self.image.id, region)
        self._clear()
        if region:
            st.session_state[SELECTED] = (region.id,)

    @_said
    def comment(self, key: str) -> None:
        words, st.session_state[key] = st.session_state[key], ""
        if words.strip():
            self.reviewer.comment(self.image.id, words)

    @_said
    def act(self) -> None:
        """Somebody clicked the picture or drew a box on it."""
        done = canvas.act()
        if done and done["kind"] == "undo":
            self._undo()
        elif done and self._is_prompt(done):
            self._prompt(done)
        elif done:
            self._pick(done)

    @staticmethod
    def _is_prompt(done: dict) -> bool:
        asks = st.session_state[MODE] == POINT or done["outside"]
        return asks or done["kind"] == "box"

    def _pick(self, done: dict) -> None:
        items = self._items()
        found = canvas.at(items, done["x"], done["y"])
        if found and self.anchor and found != self.anchor:
            self._merge((self.anchor, found))
        elif found and done["more"]:
            st.session_state[SELECTED] = tuple(dict.fromkeys((*self.selected, found)))
        else:
            st.session_state[SELECTED] = (found,) if found else ()

    def _prompt(self, done: dict) -> None:
        asked = dict(st.session_state[PROMPT])
        if done["kind"] == "box":
            asked |= {"box": (done["x"], done["y"], done["x2"], done["y2"]), "points": ()}
        else:
            label = 0 if done["outside"] or done["more"] else 1
            asked["points"] = (*asked["points"], (done["x"], done["y"], label))
        self._answer(asked)

    def _answer(self, asked: dict) -> None:
        region = prompter_of(self.config).region(
            _embedded(self.workspace, self.image.id, self.config),
            (self.image.height, self.image.width),
            [(x, y) for x, y, _ in asked["points"]],
            [label for _, _, label in asked["points"]],
            asked["box"],
        )
        st.session_state[PROMPT] = asked | {"region": region}

    def _decide(self, say: Callable) -> None:
        """One decision, then the next region, so that one hand can go through all of them."""
        if not self.selected:
            st.session_state[SAID] = t("review.select_first")
            return
        names = [item.id for item in self._items()]
        after = names.index(self.selected[-1]) + 1 if self.selected[-1] in names else 0
        following = next((n for n in names[after:] if n not in self.selected), None)
        say(self.image.id, self.selected)
        st.session_state[SELECTED] = (following,) if following else ()

    def _merge(self, chosen: Sequence[str]) -> None:
        said = self.reviewer.merge(self.image.id, chosen)
        self._clear()
        if said.region:
            st.session_state[SELECTED] = (said.region.id,)

    def _items(self) -> tuple[Reviewed, ...]:
        now = self.review
        return (*now.kept, *now.dropped)

    def _clear(self) -> None:
        st.session_state[SELECTED] = ()
        st.session_state[ANCHOR] = None
        st.session_state[PROMPT] = NOTHING

    def prepare_next(self) -> None:
        """Have the next picture ready before it is asked for."""
        if self.place + 1 < len(self._ids):
            following = self._ids[self.place + 1]
            found = store.read(self.workspace, following, self.config)
            canvas.prepare(self.workspace, following, found.regions if found else ())

    def prepare_prompts(self) -> None:
        """Have the image's embedding ready before it is asked for."""
        asked = (self.workspace, self.image.id, self.config)
        threading.Thread(target=_embedded, args=asked, daemon=True).start()


def _embedded(workspace: Workspace, image_id: str, config: SegmenterConfig):
    """The embedding of an image, worked out once also where two ask for it at the same time."""
    with EMBEDDING:
        return prompter_of(config).embed(workspace, image_id)


@st.cache_resource(max_entries=2, show_spinner=False)
def _prompter(digest: str, _config: SegmenterConfig) -> Prompter:
    return Prompter(_config)


def prompter_of(config: SegmenterConfig) -> Prompter:
    """One model for all sessions; loading it takes a second."""
    return _prompter(config.digest(), config)
