"""Every page runs in both languages, with nothing in the workspace and with images in it."""

import pytest
from app_pages import opened, shown
from app_photos import photo

from samclr_core.images import catalogue
from samclr_core.messages import LANGUAGES
from samclr_core.views.config import ViewsConfig
from samclr_core.workspace import named_workspace
from ui.i18n import catalogue as texts

PAGES = ("images", "regions", "review", "views", "training", "evaluation", "decision")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_an_empty_workspace_gets_a_sentence_and_no_error(home, page, language):
    app = opened(page, language)
    assert not app.exception
    assert not app.error
    assert app.title[0].value == texts()[f"{page}.title"][language]
    if page != "images":
        links = [element for element in app.main if element.type == "page_link"]
        assert links or app.info or app.get("page_link")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_runs_with_images_and_regions(with_regions, page, language):
    app = opened(page, language)
    assert not app.exception
    assert not app.error, shown(app)
    assert app.title[0].value == texts()[f"{page}.title"][language]


def test_the_images_page_counts_and_shows_names_as_they_are(with_images):
    app = opened("images", "ja")
    assert app.metric[0].value == "2"
    # Thumbnails stand before the word on what comes next, and no name was read as Markdown.
    assert not app.error


def test_a_bad_upload_is_refused_with_a_sentence_in_the_language_in_use(home):
    app = opened("images", "ja")
    app.file_uploader[0].set_value(("壊れた.png", b"no image", "image/png"))
    app.button[0].click().run()
    assert "1" in app.warning[0].value
    reasons = app.dataframe[0].value
    assert list(reasons.iloc[0]) == [
        "壊れた.png",
        "壊れた.png は PNG・JPEG・BMP・TIFF・WebP の画像ではありません。",
    ]


def test_an_upload_is_taken_in_once(home):
    app = opened("images")
    app.file_uploader[0].set_value(("a.jpg", photo(1), "image/jpeg"))
    app.button[0].click().run()
    assert len(catalogue.records(named_workspace("試験_1"))) == 1
    assert "1 images added, 0 already known" in app.success[0].value
    app.run()
    assert "1 images added, 0 already known" in app.success[0].value


def test_a_folder_that_is_not_there_is_one_sentence(home):
    app = opened("images")
    app.text_input[0].set_value("/no/such/folder")
    app.button[1].click().run()
    assert not app.exception


def test_the_language_switch_changes_texts_and_url(home):
    app = opened("regions", "en")
    app.session_state["language"] = "ja"
    app.run()
    assert app.title[0].value == texts()["regions.title"]["ja"]
    assert app.query_params["lang"] in ("ja", ["ja"])


def test_a_bad_workspace_name_is_one_sentence(home):
    app = opened("images", "en", "a/b")
    assert not app.exception
    assert "cannot be a workspace" in app.error[0].value


def test_an_unknown_language_falls_back_to_english(home):
    assert opened("images", "xx").title[0].value == "Images"


def test_an_unexpected_error_is_a_sentence_and_no_trace(with_images, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(catalogue, "records", fail)
    app = opened("images")
    assert not app.exception
    assert app.error[0].value == texts()["shell.unexpected"]["en"]


def test_views_settings_are_kept_for_training(with_regions):
    app = opened("views")
    outside = next(box for box in app.selectbox if box.label == texts()["views.outside"]["en"])
    outside.set_value("blur").run()
    assert ViewsConfig.of(with_regions.setting("views")).outside == "blur"


def test_every_change_of_views_settings_is_kept_and_so_are_other_peoples(with_regions):
    """Also the one after the first: a widget must not begin anew with what it was set to."""

    def kept() -> ViewsConfig:
        return ViewsConfig.of(with_regions.setting("views"))

    def widget(kind: str, key: str):
        return next(w for w in app.get(kind) if w.label == texts()[key]["en"])

    app = opened("views")
    for percent in (15, 40, 65):
        widget("slider", "views.margin").set_value(percent).run()
        assert kept().margin == percent / 100
        widget("slider", "views.area").set_value((0.5, percent)).run()
        assert (kept().min_area, kept().max_area) == (0.005, percent / 100)
    for limit in (3, 0, None):
        widget("number_input", "views.nested").set_value(limit).run()
        assert kept().max_nested == limit
    by_another = kept().model_copy(update={"margin": 1.0, "max_upscale": 3.0})
    with_regions.remember("views", by_another.model_dump(mode="json"))
    widget("slider", "views.coverage").set_value(20).run()
    assert kept() == by_another.model_copy(update={"min_coverage": 0.2})
    assert widget("slider", "views.margin").value == 100


def test_a_new_draw_is_another_pair(with_regions):
    app = opened("views")
    button = next(b for b in app.button if b.label == texts()["views.new_draw"]["en"])
    button.click().run()
    assert app.session_state["views-seed"] == 1


def test_purity_says_what_it_was_measured_against(with_regions):
    app = opened("views")
    button = next(b for b in app.button if b.label == texts()["views.measure"]["en"])
    button.click().run()
    assert "flatters" in shown(app)
