"""A reviewer's keys as buttons: each says one thing, and the page shows what came of it."""

import io
import zipfile

import numpy as np
import pytest
from app_pages import opened, shown
from app_photos import SHAPES, box_region
from PIL import Image
from streamlit.testing.v1 import AppTest

from samclr_core.images import catalogue
from samclr_core.messages import LANGUAGES
from samclr_core.regions import store
from samclr_core.regions.region import Region
from samclr_core.regions.review import events as log
from samclr_core.regions.review.actions import Reviewer
from samclr_core.regions.review.fold import Reviewed, review, reviewed
from ui.components.review import canvas
from ui.components.review.canvas import Marks
from ui.components.review.panels import zipped
from ui.i18n import catalogue as texts

SHAPE_IDS = [box_region(*shape).id for shape in SHAPES]


def at_work(language: str = "en", part: str = "work") -> AppTest:
    app = opened("images", language)
    # As on the way from another page: the name is remembered.
    app.session_state["reviewer"] = "佐藤"
    app.session_state["review-part"] = part
    app.switch_page("pages/review.py").run()
    assert not app.exception
    assert not app.error, shown(app)
    return app


def press(app: AppTest, key: str) -> None:
    """The button of that key of the session."""
    app.button(key=f"review-{key}").click().run()
    assert not app.exception


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_name_nobody_reviews(with_regions, language):
    app = opened("review", language)
    assert texts()["review.who_first"][language] in shown(app)
    assert not app.button


def test_every_change_of_the_name_counts(with_regions):
    app = at_work()
    for who in ("Sato", "Tanaka", "鈴木"):
        app.text_input(key="review-name").set_value(who).run()
        assert app.session_state["reviewer"] == who
    press(app, "good")
    assert {event.who for event in log.events(with_regions)} == {"鈴木"}


def test_a_verdict_goes_on_to_the_next_picture_and_undo_comes_back(with_regions):
    first, second = (image.id for image in catalogue.records(with_regions))
    app = at_work()
    press(app, "bad")
    assert app.session_state["review-at"] == second
    press(app, "good")
    assert {e.image_id: e.text for e in log.events(with_regions)} == {first: "bad", second: "good"}
    assert {event.who for event in log.events(with_regions)} == {"佐藤"}
    press(app, "key-U")
    press(app, "key-U")
    assert log.events(with_regions) == []
    assert app.session_state["review-at"] == first
    press(app, "key-U")
    assert texts()["review.nothing_to_undo"]["en"] in shown(app)


def test_the_second_reviewer_judges_before_hearing_the_first(with_regions):
    first = catalogue.records(with_regions)[0].id
    Reviewer(with_regions, "ann").judge(first, "bad")
    anns = texts()["review.said"]["en"].format(who="ann", verdict=texts()["review.bad"]["en"])
    app = at_work()
    assert anns not in shown(app)
    press(app, "good")
    press(app, "step-Left")
    assert anns in shown(app)


def test_one_hand_goes_through_all_regions(with_regions):
    image_id = catalogue.records(with_regions)[0].id
    largest_first = [item.id for item in review(with_regions, image_id).kept]
    app = at_work()
    press(app, "key-Down")
    for key in "DKD":
        press(app, f"key-{key}")
    now = review(with_regions, image_id)
    assert {item.id for item in now.dropped} == {largest_first[0], largest_first[2]}
    assert app.session_state["review-selected"] != ()
    assert [region.id for region in reviewed(with_regions, image_id).regions] == [
        item.id for item in now.kept
    ]


def test_a_hopeless_picture_is_dropped_with_one_key(with_regions):
    image_id = catalogue.records(with_regions)[0].id
    app = at_work()
    press(app, "key-X")
    assert reviewed(with_regions, image_id).regions == ()
    assert app.button(key="review-key-X").disabled
    press(app, "key-U")
    assert reviewed(with_regions, image_id) == store.read(with_regions, image_id)


def test_merging_takes_two(with_regions):
    image_id = catalogue.records(with_regions)[0].id
    app = at_work()
    for key in ("Down", "M", "Down", "M"):
        press(app, f"key-{key}")
    now = review(with_regions, image_id)
    assert len(now.kept) == len(SHAPES) - 1
    assert list(now.replaced.values()) == ["merged", "merged"]


def test_a_comment_is_kept_and_shown_as_it_was_written(with_regions):
    app = at_work("ja")
    app.text_input[1].set_value("*手* が欠けている").run()
    (said,) = log.events(with_regions)
    assert (said.kind, said.text) == ("comment", "*手* が欠けている")
    assert r"\*手\*" in shown(app)
    assert app.text_input[1].value == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_summary_can_be_signed_off(with_regions, language):
    ids = [image.id for image in catalogue.records(with_regions)]
    for who, words in (("ann", ("good", "bad")), ("ben", ("good", "good"))):
        for image_id, word in zip(ids, words, strict=True):
            Reviewer(with_regions, who).judge(image_id, word)
    Reviewer(with_regions, "ann").drop(ids[0], SHAPE_IDS[:1])
    app = at_work(language, "summary")
    values = {metric.label: metric.value for metric in app.metric}
    t = {key: sentence[language] for key, sentence in texts().items()}
    assert values[t["review.good"]] == "100%"
    # Half of the pictures agreed upon, and half by chance: kappa is 0.
    assert values[t["review.kappa"]] == "0.00"
    assert values[t["review.dropped"]] == "1"
    assert values[t["review.after"]] == str(2 * len(SHAPES) - 1)
    next(b for b in app.button if b.label == t["review.measure"]).click().run()
    assert t["review.against_regions"] in shown(app)


def test_files_go_out(with_regions):
    app = at_work("ja", "files")
    labels = [button.proto.label for button in app.get("download_button")]
    assert labels == [texts()[f"review.export_{kind}"]["ja"] for kind in ("coco", "maps")]
    with zipfile.ZipFile(io.BytesIO(zipped(with_regions, store.current(with_regions)))) as archive:
        maps = [Image.open(archive.open(name)) for name in archive.namelist()]
        assert [np.array(labels).max() for labels in maps] == [len(SHAPES), len(SHAPES)]


def square(x: int, y: int, side: int) -> Reviewed:
    mask = np.zeros((200, 300), bool)
    mask[y : y + side, x : x + side] = True
    return Reviewed(Region.of_mask(mask))


def test_a_click_finds_the_smallest_region_under_it():
    outer, inner = square(20, 20, 100), square(40, 40, 20)
    assert canvas.at((outer, inner), 50.7, 45.2) == inner.id
    assert canvas.at((outer, inner), 30, 30) == outer.id
    assert canvas.at((outer, inner), 5, 5) is None


def test_the_picture_shows_what_is_in_use_selected_and_proposed():
    photo = np.full((100, 150, 3), 128, np.uint8)
    outer, inner, gone = square(20, 20, 100), square(40, 40, 20), square(200, 100, 60)
    proposal = square(150, 20, 40).region
    marks = Marks((outer.id,), proposal, ((210.0, 30.0, False),))
    shown = canvas.drawn(photo, (200, 300), (outer, inner), (gone,), marks)
    assert (shown[5, 5] == 128).all()
    assert (shown[11, 30] == (255, 212, 0)).all(), "the selected one's outline"
    assert (shown[25, 25] != shown[50, 50]).any(), "a colour for each"
    assert (shown[65, 115] == 128).all(), "a dropped one has no colour"
    assert (shown[50, 115] == 120).all(), "but an outline"
    assert shown[20, 85, 1] > shown[20, 85, 0], "the proposal is green"
    assert (shown[15, 105] == (230, 30, 30)).all(), "a click beside the thing is red"
    bare = canvas.drawn(photo, (200, 300), (outer, inner), (gone,), Marks(coloured=False))
    assert (bare == photo).all()
