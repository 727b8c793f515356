"""The regions page as a manager reads it: lights, groups, a second look, and the presets."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest
from app_photos import SHAPES, photo
from streamlit.testing.v1 import AppTest

from samclr_core.images import catalogue
from samclr_core.images import store as images
from samclr_core.images.intake import add_paths
from samclr_core.jobs import Job, State
from samclr_core.messages import LANGUAGES, core_catalogue
from samclr_core.regions import store
from samclr_core.regions.config import PRESETS, SegmenterConfig
from samclr_core.regions.region import Region, RegionSet
from samclr_core.workspace import REPOSITORY, Workspace, named_workspace
from ui.components import job_panel
from ui.i18n import catalogue as texts
from ui.i18n import plain

CONFIG = SegmenterConfig(points_per_side=3)
SIZE = (448, 640)
PATIENCE = 240


def opened(language: str = "en", look: str = "figures") -> AppTest:
    app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=PATIENCE)
    app.query_params["lang"] = language
    app.query_params["workspace"] = "品質"
    app.run()
    app.session_state["regions-look"] = look
    return app.switch_page("pages/regions.py").run()


def shown(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def figure(name: str, language: str = "en") -> str:
    return plain(core_catalogue()[f"regions.figure_{name}"][language])


def button(app: AppTest, key: str):
    start = texts()[key]["en"].split("{")[0]
    return next(one for one in app.button if one.label.startswith(start))


def box(x: int, y: int, w: int, h: int) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[y : y + h, x : x + w] = True
    return mask


@pytest.fixture
def workspace(home, tmp_path) -> Workspace:
    """Two images whose regions cover them, in line1, and one with a single small one, in line2."""
    for number, line in enumerate(("line1", "line1", "line2")):
        path = tmp_path / "photos" / line / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo(number))
    found = named_workspace("品質")
    add_paths(found, [tmp_path / "photos"])
    for record in catalogue.records(found):
        whole = [box(0, 0, 640, 448)] if "line1" in record.name else []
        masks = [*whole, *(box(*shape) for shape in SHAPES[: 4 if whole else 1])]
        regions = tuple(Region.of_mask(mask, 0.9, 0.95) for mask in masks)
        made = RegionSet(record.id, *SIZE, CONFIG.model_dump(), regions, 1.5)
        store.write(found, CONFIG, made)
    store.choose(found, CONFIG)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_has_a_light_and_a_reason(workspace, language):
    app = opened(language)
    assert not app.exception
    assert not app.error
    table = next(m.value for m in app.markdown if texts()["quality.reason"][language] in m.value)
    row = next(line for line in table.splitlines() if figure("coverage", language) in line)
    assert ":green[:material/check_circle:]" in row
    assert "**100%**" in row
    assert "≥ 70%" in row
    assert texts()["quality.sizes"][language] in shown(app)
    # Without label maps nothing is said of a truth.
    assert figure("covering", language) not in shown(app)


def test_label_maps_are_the_truth(workspace):
    record = catalogue.records(workspace)[0]
    images.save_label_map(workspace, record.id, box(*SHAPES[0]).astype(int))
    catalogue.put(workspace, replace(record, has_label_map=True))
    text = shown(opened())
    assert texts()["quality.with_truth"]["en"].format(count=1) in text
    assert figure("covering") in text


def test_a_coco_file_is_the_truth_until_it_is_taken_away(workspace, tmp_path):
    record = catalogue.records(workspace)[0]
    x, y, w, h = SHAPES[0]
    corners = [x, y, x + w, y, x + w, y + h, x, y + h]
    thing = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [corners], "iscrowd": 0}
    thing |= {"bbox": [x, y, w, h], "area": w * h}
    image = {"id": 1, "file_name": record.name, "width": SIZE[1], "height": SIZE[0]}
    categories = [{"id": 1, "name": "part"}]
    path = tmp_path / "instances.json"

    def write() -> None:
        coco = {"images": [image], "annotations": [thing], "categories": categories}
        path.write_text(json.dumps(coco))

    write()

    def give(app: AppTest, value: object) -> AppTest:
        label = texts()["quality.coco_path"]["en"]
        field = next(f for f in app.text_input if f.label == label)
        return field.set_value(str(value)).run()

    app = give(opened(), path)
    assert not app.error
    assert texts()["quality.with_truth"]["en"].format(count=1) in shown(app)
    row = next(line for line in shown(app).splitlines() if figure("recall75") in line)
    assert "**100%**" in row
    assert figure("covering") in shown(opened())

    # A file that is written anew is read anew.
    thing |= {"segmentation": [[0, 0, 4, 0, 4, 4, 0, 4]], "bbox": [0, 0, 4, 4], "area": 16}
    write()
    rows = [line for line in shown(app.run()).splitlines() if line.startswith("|")]
    row = next(line for line in rows if figure("recall75") in line)
    assert "**0%**" in row

    give(app, tmp_path / "gone.json")
    assert "gone.json" in app.error[0].value.replace("\\", "")
    assert figure("coverage") in shown(app)
    assert figure("covering") not in shown(app)
    give(app, "")
    assert not app.error


def test_groups_come_worst_first(workspace):
    text = shown(opened(look="groups"))
    table = next(part for part in text.split("\n\n") if texts()["quality.points"]["en"] in part)
    assert table.index("line2") < table.index("line1")
    assert "line2" in text.split(texts()["quality.worst_of"]["en"].split("{")[0])[1][:40]


def test_a_pattern_makes_groups_and_a_bad_one_is_a_sentence(workspace):
    app = opened(look="groups")
    by = next(c for c in app.segmented_control if c.label == texts()["quality.by"]["en"])
    by.set_value("pattern").run()
    field = next(f for f in app.text_input if f.label == texts()["quality.pattern"]["en"])
    field.set_value(r"(\d)\.jpg").run()
    assert "| 2 | 1 |" in shown(app)
    field.set_value("(").run()
    assert not app.exception
    assert "regular expression" in app.error[0].value


def test_a_model_that_cannot_be_had_is_a_sentence_and_the_rest_stays(workspace):
    app = opened()
    model = next(box for box in app.selectbox if box.label == texts()["regions.model"]["en"])
    model.set_value("file").run()
    field = next(f for f in app.text_input if f.label == texts()["regions.path"]["en"])
    field.set_value("/no/such/weights.pth").run()
    button(app, "regions.try").click().run()
    assert len(app.error) == 1
    assert "/no/such/weights" in app.error[0].value.replace("\\", "")
    assert texts()["quality.sizes"]["en"] in shown(app)


def test_a_second_look_runs_as_a_job_and_shows_what_it_found(workspace, sam_weights):
    app = opened()
    button(app, "quality.check").click().run()
    folder = job_panel.latest(workspace.jobs, "quality").folder
    ends = time.time() + PATIENCE
    while Job(folder).state is State.RUNNING and time.time() < ends:
        time.sleep(0.5)
    assert Job(folder).state is State.FINISHED, Job(folder).log
    text = shown(opened())
    assert texts()["quality.stability_of"]["en"].format(count=3) in text
    assert figure("shift_iou") in text


def test_presets_are_shown_side_by_side_and_change_nothing(workspace, sam_weights, monkeypatch):
    for number, name in enumerate(("few_large", "balanced", "many_small"), start=2):
        monkeypatch.setitem(PRESETS, name, SegmenterConfig(points_per_side=number))
    before = store.current(workspace)
    app = opened()
    button(app, "regions.try").click().run(timeout=PATIENCE)
    assert not app.exception
    assert not app.error
    for name in ("few_large", "balanced", "many_small"):
        assert f"**{texts()[f'regions.{name}']['en']}**" in shown(app)
    assert store.current(workspace) == before
