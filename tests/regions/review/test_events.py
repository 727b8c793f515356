import json
import multiprocessing
from datetime import datetime
from pathlib import Path

import pytest
from box_scenes import A, B, box, box_workspace, image_id

from samclr_core.images.store import remove
from samclr_core.messages import UserError
from samclr_core.regions.review import events as log
from samclr_core.regions.review.actions import Reviewer
from samclr_core.regions.review.events import Event
from samclr_core.workspace import Workspace

I0, I1 = image_id(0), image_id(1)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return box_workspace(tmp_path / "w", 2)


def test_an_event_says_who_and_when_and_is_there_for_the_next_reader(workspace: Workspace) -> None:
    said = Reviewer(workspace, "  佐藤 ").judge(I0, "good")
    found = log.events(Workspace(workspace.root))
    assert found == [said]
    assert (found[0].who, found[0].text) == ("佐藤", "good")
    when = datetime.fromisoformat(found[0].when)
    assert when.utcoffset().total_seconds() == 0


def test_an_event_survives_json(workspace: Workspace) -> None:
    said = Reviewer(workspace, "a").correct(I0, A, box(1, 1, 9, 9))
    again = Event.from_json(json.loads(json.dumps(said.to_json())))
    assert log.append(Workspace(workspace.root / "copy"), [again])[0] == said


def test_undo_takes_back_the_reviewers_own_last_word_only(workspace: Workspace) -> None:
    ann, ben = Reviewer(workspace, "ann"), Reviewer(workspace, "ben")
    first = ann.judge(I0, "good")
    second = ann.drop(I1, [A])
    bens = ben.judge(I0, "bad")
    assert ann.undo() == second
    assert log.events(workspace) == [first, bens]
    assert ann.undo(I1) is None
    assert ann.undo() == first
    assert ann.undo() is None
    assert log.events(workspace) == [bens]
    assert len(log.everything(workspace)) == 5


def test_an_event_that_came_again_is_one_event(workspace: Workspace) -> None:
    said = Reviewer(workspace, "ann").judge(I0, "good")
    assert log.append(workspace, [said, said]) == []
    assert len(log.everything(workspace)) == 1


def test_the_last_change_is_about_regions_and_nothing_else(workspace: Workspace) -> None:
    ann, ben = Reviewer(workspace, "ann"), Reviewer(workspace, "ben")
    ann.judge(I0, "bad")
    ann.comment(I0, "a hand is missing")
    assert log.last_change(workspace) == 0
    dropped = ann.drop(I0, [A])
    ann.judge(I0, "good")
    assert log.last_change(workspace) == dropped.number
    ann.undo()
    assert log.last_change(workspace) == dropped.number
    ben.drop(I0, [B])
    ann.undo()
    # Ann's word is gone and Ben's stands: the log until then says exactly that.
    until = log.last_change(workspace)
    assert until == max(event.number for event in log.everything(workspace))
    assert [event.regions for event in log.events(workspace, until=until) if event.regions] == [
        (B,)
    ]
    ben.undo()
    assert log.last_change(workspace) == 0


@pytest.mark.parametrize("who", ["", "   ", "x" * 81])
def test_nobody_says_nothing(workspace: Workspace, who: str) -> None:
    with pytest.raises(UserError) as error:
        Reviewer(workspace, who)
    assert "80" in error.value.text("ja")
    with pytest.raises(UserError):
        log.append(workspace, [Event(I0, "verdict", who, text="good")])
    assert log.everything(workspace) == []


def test_removing_an_image_removes_what_was_said_about_it(workspace: Workspace) -> None:
    ann = Reviewer(workspace, "ann")
    ann.comment(I0, "Mr Suzuki stands in front of the press")
    kept = ann.judge(I1, "good")
    gone = ann.judge(I0, "bad")
    remove(workspace, [I0])
    assert log.everything(workspace) == [kept]
    assert b"Suzuki" not in (workspace.root / "workspace.sqlite").read_bytes()
    assert ann.judge(I1, "bad").number > gone.number


def _say_often(root: Path, who: str) -> None:
    reviewer = Reviewer(Workspace(root), who)
    for number in range(20):
        reviewer.comment(I0, f"{who} {number}")


def test_reviewers_at_the_same_time_lose_nothing(workspace: Workspace) -> None:
    context = multiprocessing.get_context("spawn")
    names = ("ann", "ben")
    reviewers = [context.Process(target=_say_often, args=(workspace.root, n)) for n in names]
    for process in reviewers:
        process.start()
    for process in reviewers:
        process.join(60)
        assert process.exitcode == 0
    found = log.events(workspace)
    for who in names:
        assert [e.text for e in found if e.who == who] == [f"{who} {n}" for n in range(20)]
