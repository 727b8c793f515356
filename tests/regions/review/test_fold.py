from pathlib import Path

import numpy as np
import pytest
from box_scenes import CONFIG, OTHER, REGIONS, A, B, C, D, box, box_workspace, cut, image_id

from samclr_core.images import catalogue
from samclr_core.messages import UserError
from samclr_core.regions import store
from samclr_core.regions.review import events as log
from samclr_core.regions.review.actions import Reviewer
from samclr_core.regions.review.changes import changes
from samclr_core.regions.review.fold import review, reviewed, reviews
from samclr_core.workspace import Workspace

I0 = image_id(0)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return box_workspace(tmp_path / "w")


@pytest.fixture
def ann(workspace: Workspace) -> Reviewer:
    return Reviewer(workspace, "ann")


def ids(workspace: Workspace, config=None, until=None) -> list[str]:
    found = reviewed(workspace, I0, config, until)
    assert found is not None
    return [region.id for region in found.regions]


def test_without_a_review_the_automatic_regions_are_in_use(workspace: Workspace) -> None:
    assert reviewed(workspace, I0) == store.read(workspace, I0)
    assert reviewed(workspace, I0, OTHER) is None


def test_a_dropped_region_is_out_until_it_is_kept_again(ann: Reviewer) -> None:
    ann.drop(I0, [A, C])
    assert ids(ann.workspace) == [B, D]
    Reviewer(ann.workspace, "ben").keep(I0, [A])
    assert ids(ann.workspace) == [A, B, D]
    now = review(ann.workspace, I0)
    assert [(item.id, item.event.who) for item in now.dropped] == [(C, "ann")]
    assert {item.id: item.event and item.event.who for item in now.kept} == {
        A: "ben",
        B: None,
        D: None,
    }


def test_merged_regions_become_their_union(ann: Reviewer) -> None:
    ann.merge(I0, [A, B])
    found = reviewed(ann.workspace, I0)
    union = found.regions[0]
    assert [region.id for region in found.regions[1:]] == [C, D]
    assert (union.area, union.bbox) == (1200, (0, 0, 60, 20))
    assert (union.mask() == REGIONS[0].mask() | REGIONS[1].mask()).all()
    ann.drop(I0, [union.id])
    assert ids(ann.workspace) == [C, D]
    ann.undo()
    ann.undo()
    assert ids(ann.workspace) == [A, B, C, D]


def test_added_and_corrected_regions_take_their_place_by_size(ann: Reviewer) -> None:
    added, corrected = box(22, 22, 16, 16), box(0, 20, 25, 20)
    ann.add(I0, added)
    ann.correct(I0, C, corrected)
    assert ids(ann.workspace) == [A, B, corrected.id, added.id, D]
    origins = {item.id: item.origin for item in review(ann.workspace, I0).kept}
    assert (origins[added.id], origins[corrected.id]) == ("added", "corrected")
    assert origins[A] == "automatic"


def test_changes_add_up(ann: Reviewer) -> None:
    ann.merge(I0, [A, B])
    ann.correct(I0, C, box(0, 20, 25, 20))
    ann.drop(I0, [D])
    ann.add(I0, box(22, 22, 16, 16))
    found = changes(reviews(ann.workspace))
    assert found.to_json() == {
        "images": 1,
        "before": 4,
        "kept": 0,
        "dropped": 1,
        "merged": 2,
        "corrected": 1,
        "added": 1,
        "after": 3,
        "waiting": 0,
    }


def test_a_decision_holds_for_the_same_mask_under_other_settings_only(ann: Reviewer) -> None:
    ann.drop(I0, [A, B])
    cut(ann.workspace, I0, OTHER, [REGIONS[0], box(31, 0, 29, 20), REGIONS[2]])
    assert ids(ann.workspace, OTHER) == [box(31, 0, 29, 20).id, C]
    assert review(ann.workspace, I0, OTHER).waiting == 1
    # Nothing is lost: with the first settings everything is as it was.
    assert ids(ann.workspace, CONFIG) == [C, D]


def test_a_mask_that_a_person_made_outlives_a_new_segmentation(ann: Reviewer) -> None:
    added, corrected = box(22, 22, 16, 16), box(0, 20, 25, 20)
    ann.add(I0, added)
    ann.correct(I0, C, corrected)
    # These settings find the added thing by themselves, one column wider, and not the other.
    cut(ann.workspace, I0, OTHER, [REGIONS[0], box(22, 22, 17, 16)])
    assert ids(ann.workspace, OTHER) == [A, corrected.id, box(22, 22, 17, 16).id]


def test_verdicts_belong_to_the_settings_that_were_looked_at(ann: Reviewer) -> None:
    ann.judge(I0, "bad")
    ben = Reviewer(ann.workspace, "ben")
    ben.judge(I0, "usable")
    ann.judge(I0, "good")
    ann.comment(I0, "now it fits")
    now = review(ann.workspace, I0)
    assert {who: event.text for who, event in now.verdicts.items()} == {
        "ben": "usable",
        "ann": "good",
    }
    assert now.verdict.text == "good"
    assert [event.text for event in now.comments] == ["now it fits"]
    cut(ann.workspace, I0, OTHER)
    assert review(ann.workspace, I0, OTHER).verdict is None


def test_the_log_can_be_read_as_it_was(ann: Reviewer) -> None:
    ann.drop(I0, [A])
    then = log.last_change(ann.workspace)
    ann.keep(I0, [A])
    ann.drop(I0, [D])
    assert ids(ann.workspace, until=then) == [B, C, D]
    assert ids(ann.workspace, until=0) == [A, B, C, D]
    assert ids(ann.workspace) == [A, B, C]


def test_an_image_that_was_never_segmented_can_have_added_regions(workspace: Workspace) -> None:
    record = catalogue.ImageRecord("b" * 32, "new.png", 60, 40, None, "line", False)
    catalogue.put(workspace, record)
    assert reviewed(workspace, record.id) is None
    ann = Reviewer(workspace, "ann")
    ann.judge(record.id, "bad")
    assert reviewed(workspace, record.id) is None
    ann.add(record.id, REGIONS[0])
    found = reviewed(workspace, record.id)
    assert (found.height, found.width, found.regions) == (40, 60, (REGIONS[0],))


def test_what_cannot_be_done_is_one_sentence(ann: Reviewer) -> None:
    mistakes = (
        lambda: ann.judge(I0, "great"),
        lambda: ann.judge("f" * 32, "good"),
        lambda: ann.comment(I0, "  "),
        lambda: ann.drop(I0, ["nothing"]),
        lambda: ann.merge(I0, [A, A]),
        lambda: ann.correct(I0, "nothing", REGIONS[0]),
    )
    for mistake in mistakes:
        with pytest.raises(UserError) as error:
            mistake()
        assert error.value.text("en")
        assert error.value.text("ja")
    assert log.everything(ann.workspace) == []


def test_a_region_is_the_same_by_its_mask_alone() -> None:
    mask = np.zeros((9, 9), bool)
    mask[2:5, 2:5] = True
    one, two = (type(REGIONS[0]).of_mask(mask, iou) for iou in (0.5, 0.9))
    assert one.id == two.id
    assert one.id != type(one).of_mask(mask.T[:, :8]).id
