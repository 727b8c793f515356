import json
import math
from pathlib import Path

import pytest
from box_scenes import OTHER, A, B, C, box_workspace, image_id

from samclr_core.regions import store
from samclr_core.regions.review.actions import Reviewer
from samclr_core.regions.review.summary import Agreement, recommend, summarise


def judge(workspace, who: str, words: str, first: int = 0) -> None:
    verdicts = {"g": "good", "u": "usable", "b": "bad"}
    for number, letter in enumerate(words, start=first):
        if letter != "-":
            Reviewer(workspace, who).judge(image_id(number), verdicts[letter])


def test_shares_and_agreement_by_hand(tmp_path: Path) -> None:
    workspace = box_workspace(tmp_path, 12)
    judge(workspace, "ann", "ggggubbb")
    judge(workspace, "ben", "ggguubbg")
    found = summarise(workspace)
    # Ben spoke last: his words count.
    assert (found.images, found.reviewed) == (12, 8)
    assert found.verdicts == {"good": 4, "usable": 2, "bad": 2}
    assert found.share("good") == 0.5
    assert found.reviewers == ("ann", "ben")
    agreed = found.agreement
    assert (agreed.reviewers, agreed.images, agreed.same) == (("ann", "ben"), 8, 6 / 8)
    # By chance: (4 * 4 + 1 * 2 + 3 * 2) / 64 = 3/8; (3/4 - 3/8) / (1 - 3/8) = 3/5.
    assert agreed.kappa == pytest.approx(0.6)


def test_agreement_is_unknown_where_it_is_undefined(tmp_path: Path) -> None:
    workspace = box_workspace(tmp_path, 4)
    judge(workspace, "ann", "gg")
    judge(workspace, "ben", "uu", first=2)
    assert summarise(workspace).agreement is None
    judge(workspace, "ben", "gg")
    agreed = summarise(workspace).agreement
    assert (agreed.images, agreed.same, agreed.kappa) == (2, 1.0, None)


def test_the_two_with_most_images_in_common_are_compared(tmp_path: Path) -> None:
    workspace = box_workspace(tmp_path, 4)
    judge(workspace, "ann", "gggg")
    judge(workspace, "ben", "b---")
    judge(workspace, "eve", "gbg-")
    assert summarise(workspace).agreement.reviewers == ("ann", "eve")


def test_the_worst_come_by_verdict_then_by_what_was_lost(tmp_path: Path) -> None:
    workspace = box_workspace(tmp_path, 14)
    judge(workspace, "ann", "g" * 10 + "ubub")
    ann = Reviewer(workspace, "ann")
    ann.drop(image_id(13), [A])
    ann.merge(image_id(12), [B, C])
    worst = summarise(workspace).worst
    assert len(worst) == 10
    assert [row.image_id for row in worst[:4]] == [image_id(n) for n in (13, 11, 12, 10)]
    assert [row.lost for row in worst[:4]] == [0.25, 0.0, 0.5, 0.0]
    assert worst[0].predicted_iou == pytest.approx(0.9)
    assert (worst[0].verdict, worst[0].who, worst[0].name) == ("bad", "ann", "line/13.png")


def test_nothing_reviewed_is_no_share_and_review_on(tmp_path: Path) -> None:
    workspace = box_workspace(tmp_path, 3)
    found = summarise(workspace)
    assert (found.reviewed, found.worst, found.agreement) == (0, (), None)
    assert math.isnan(found.share("good"))
    assert found.recommendation.action == "review"
    values = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert values["good_share"] is None
    assert "needs 3" in values["recommendation"]["reason"]


def test_another_segmentation_starts_anew(tmp_path: Path) -> None:
    workspace = box_workspace(tmp_path, 2)
    judge(workspace, "ann", "gg")
    store.choose(workspace, OTHER)
    assert summarise(workspace).reviewed == 0


@pytest.mark.parametrize(
    ("verdicts", "kappa", "action"),
    [
        ((10, 5, 4), None, "review"),
        ((19, 0, 1), None, "go"),
        ((14, 5, 1), 0.4, "go"),
        ((13, 6, 1), None, "correct"),
        ((18, 0, 2), None, "correct"),
        ((15, 1, 4), None, "correct"),
        ((15, 0, 5), None, "tune"),
        ((20, 0, 0), 0.39, "agree"),
    ],
)
def test_the_recommendation_follows_the_limits(verdicts, kappa, action) -> None:
    counts = dict(zip(("good", "usable", "bad"), verdicts, strict=True))
    agreed = Agreement(("ann", "ben"), 9, 0.5, kappa) if kappa else None
    found = recommend(100, counts, agreed)
    assert found.action == action
    assert found.text("en") != found.text("ja")
