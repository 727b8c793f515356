"""Real tiny runs, a real folder, all the way to the files that pages read."""

import itertools
import shlex

import numpy as np
import pytest
from PIL import Image

from samclr_core.cache import read, write
from samclr_core.cli.common import parsed
from samclr_core.config import with_changes
from samclr_core.evaluation import results, samples
from samclr_core.evaluation.baselines import twin_command
from samclr_core.evaluation.evaluate import evaluate
from samclr_core.evaluation.labels_saved import read_off
from samclr_core.images import catalogue, store
from samclr_core.messages import LANGUAGES, Cancelled, UserError
from samclr_core.regions import store as region_store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region, RegionSet
from samclr_core.training import runs
from samclr_core.training.config import PRESETS, TrainingConfig
from samclr_core.training.loop import train
from samclr_core.workspace import Workspace

COLOURS = {"赤": (200, 60, 60), "green": (60, 200, 60), "blue": (60, 60, 200)}


def photo(colour, rng, height=40, width=56):
    pixels = np.array(colour) + rng.normal(0, 30, (height, width, 3))
    return pixels.clip(0, 255).astype(np.uint8)


def put(workspace, pixels, name, label):
    image_id = store.content_id(pixels)
    height, width = pixels.shape[:2]
    store.save(workspace, image_id, pixels, lossy=False)
    record = catalogue.ImageRecord(image_id, name, width, height, label, "test", False)
    catalogue.put(workspace, record)
    mask = np.zeros((height, width), bool)
    mask[8:30, 8:32] = True
    config = SegmenterConfig()
    found = RegionSet(image_id, height, width, config.model_dump(), (Region.of_mask(mask),))
    region_store.write(workspace, config, found)


def config(kind):
    views = {"kind": kind, "size": 32}
    return TrainingConfig.of({"views": views, "epochs": 1, "batch_size": 4, "pairs_per_image": 1})


def trained(workspace, kind):
    run = runs.create(workspace, config(kind))
    train(workspace, run)
    return run


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A workspace of labelled photos with a region run and its image twin."""
    workspace = Workspace(tmp_path_factory.mktemp("evaluation") / "w")
    rng = np.random.default_rng(0)
    for label, colour in COLOURS.items():
        for number in range(4):
            put(workspace, photo(colour, rng), f"{label}{number}.png", label)
    region_store.choose(workspace, SegmenterConfig())
    return workspace, trained(workspace, "region"), trained(workspace, "image")


@pytest.fixture
def data(tmp_path):
    """Twelve photos of three classes, without a split of their own."""
    return folder(tmp_path / "部品")


def folder(path, parts=("",), count=4):
    rng = np.random.default_rng(1)
    for part in parts:
        for label, colour in COLOURS.items():
            (path / part / label).mkdir(parents=True)
            for number in range(count):
                Image.fromarray(photo(colour, rng)).save(path / part / label / f"{number}.png")
    return path


def keys(evaluation):
    return {note.key.removeprefix("evaluation.") for note in evaluation.notes}


def test_from_a_folder_to_the_files_that_pages_read(world, data):
    workspace, run, twin = world
    steps = []
    found = evaluate(workspace, run, data, lambda done, total, note="": steps.append(done))
    assert steps == sorted(steps)
    assert steps[-1] == 100
    assert set(found.methods) == set(results.METHODS)
    assert found.twin == twin.id
    assert (found.n_train, found.n_test, found.split) == (6, 6, "half")
    assert found.classes == sorted(COLOURS)
    # Colour tells these classes apart: this baseline has to see it.
    assert found.methods["colour"].linear_probe.accuracy == 1
    assert found.methods["colour"].knn.k == 6
    for method in found.methods.values():
        probe = method.linear_probe
        assert np.trace(probe.confusion) / 6 == pytest.approx(probe.accuracy)
        assert probe.ci95[0] <= probe.accuracy <= probe.ci95[1]
    assert results.load(results.path_of(run, found)) == found
    assert results.evaluations(run)[0] == found
    assert "few_test_images" in keys(found)
    for note in found.notes:
        assert all(note.text(language) for language in LANGUAGES)


def test_curves_over_labels_end_at_the_probe_itself(world, data):
    workspace, run, _ = world
    assert evaluate(workspace, run, data).curves == {}
    found = evaluate(workspace, run, data, with_curves=True)
    assert set(found.curves) == set(results.METHODS)
    for name, points in found.curves.items():
        assert [(p.per_class, p.labels) for p in points] == [(1, 3), (None, 6)]
        assert points[-1].accuracy == found.methods[name].linear_probe.accuracy
    assert results.load(results.path_of(run, found)) == found
    assert found.brief()["curves"]["colour"][-1][:2] == [6, 1.0]
    assert set(found.labels_needed) == {"twin", "start"}
    for name, needed in found.labels_needed.items():
        ours, theirs = found.curves["run"], found.curves[name][-1].accuracy
        means = np.array([point.accuracy for point in ours])
        by_hand = read_off(np.array([point.labels for point in ours]), means, theirs - 1e-9)
        assert needed.labels == (pytest.approx(by_hand) if np.isfinite(by_hand) else None)
        assert needed.all == 6


def test_the_map_has_both_layouts_and_figures_beside_it(world, data):
    workspace, run, _ = world
    found = evaluate(workspace, run, data)
    path = results.path_of(run, found)
    points = results.points(path)
    assert all(np.isfinite([p.x, p.y, p.pca_x, p.pca_y]).all() for p in points)
    values = read(path.with_suffix(".npz"), "embeddings")["embeddings"]
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    first = np.array([point.pca_x for point in points])
    # The first component explains most; it is the same but for its sign.
    centred = unit - unit.mean(axis=0)
    expected = centred @ np.linalg.svd(centred)[2][0]
    assert abs(np.corrcoef(first, expected)[0, 1]) > 0.999
    colour = found.methods["colour"]
    assert colour.neighbour_purity[1] == pytest.approx(6 * 1 / (6 * 5))
    assert colour.silhouette > found.methods["start"].silhouette


def test_a_map_of_an_older_make_is_passed_over(world, data):
    workspace, run, _ = world
    path = results.path_of(run, evaluate(workspace, run, data))
    arrays = read(path.with_suffix(".npz"))
    del arrays["pca_x"]
    write(path.with_suffix(".npz"), arrays)
    assert results.points(path) == []


def test_the_command_lines_figures(world, data):
    workspace, run, _ = world
    brief = evaluate(workspace, run, data).brief()
    assert set(brief["linear_probe"]) == set(brief["knn"]) == {"accuracy", "ci95"}
    assert set(brief["baselines"]) == {"colour", "start", "twin"}
    assert set(brief["baselines"]["twin"]) == {"linear_probe", "knn"}


def test_points_carry_stable_ids_and_the_file_to_show(world, data):
    workspace, run, _ = world
    points = results.points(results.path_of(run, evaluate(workspace, run, data)))
    assert len({point.id for point in points}) == 12
    for point in points:
        with Image.open(point.path) as image:
            assert store.content_id(np.asarray(image)) == point.id
        assert point.path.parent.name == point.label
        assert (point.predicted is None) == (point.split == "train")
        assert point.correct == (point.predicted == point.label if point.predicted else None)


def test_the_workspaces_own_labels(world):
    workspace, run, _ = world
    found = evaluate(workspace, run)
    assert (found.data, found.name, found.n_train, found.n_test) == (None, "workspace", 6, 6)
    assert "seen" in keys(found)
    point = results.points(results.path_of(run, found))[0]
    assert catalogue.record(workspace, point.image_id).label == point.label


def test_test_labels_change_no_answer(world, tmp_path):
    workspace, run, _ = world
    honest = folder(tmp_path / "honest", ("train", "test"))
    swapped = folder(tmp_path / "swapped", ("train", "test"))
    (swapped / "test" / "green").rename(swapped / "test" / "other")
    (swapped / "test" / "blue").rename(swapped / "test" / "green")
    (swapped / "test" / "other").rename(swapped / "test" / "blue")
    answers = []
    for path in (honest, swapped):
        found = evaluate(workspace, run, path)
        assert found.split == "official"
        shown = results.points(results.path_of(run, found))
        answers.append({p.id: p.predicted for p in shown if p.split == "test"})
        answers.append(found.methods["colour"].linear_probe.C_scores)
    assert answers[:2] == answers[2:]


def test_copies_do_not_leak_from_train_to_test(world, tmp_path):
    workspace, run, _ = world
    path = folder(tmp_path / "data", ("train", "test"))
    for label in COLOURS:
        copied = (path / "test" / label / "0.png").read_bytes()
        (path / "train" / label / "copy.png").write_bytes(copied)
    found = evaluate(workspace, run, path)
    assert (found.n_train, found.n_test) == (12, 12)
    assert "duplicates" in keys(found)


def test_files_that_cannot_be_read_are_skipped_with_a_note(world, data):
    workspace, run, _ = world
    (data / "blue" / "broken.png").write_bytes(b"no image")
    found = evaluate(workspace, run, data)
    assert found.n_train + found.n_test == 12
    note = next(note for note in found.notes if note.key == "evaluation.unreadable")
    assert note.values == {"count": 1, "names": "blue/broken.png"}


def test_a_class_with_one_image_is_left_out(world, data):
    workspace, run, _ = world
    for number in (1, 2, 3):
        (data / "blue" / f"{number}.png").unlink()
    found = evaluate(workspace, run, data)
    assert found.classes == sorted(set(COLOURS) - {"blue"})
    assert "classes_dropped" in keys(found)


def test_one_class_is_too_few(world, data):
    workspace, run, _ = world
    for label in ("blue", "green"):
        for number in (1, 2, 3):
            (data / label / f"{number}.png").unlink()
    with pytest.raises(UserError) as error:
        evaluate(workspace, run, data)
    assert error.value.key == "evaluation.too_few_classes"


def test_a_second_evaluation_computes_no_feature_again(world, data, monkeypatch):
    workspace, run, _ = world
    first = evaluate(workspace, run, data)
    monkeypatch.setattr("samclr_core.evaluation.features.embed", None)
    monkeypatch.setattr("samclr_core.evaluation.probe.linear_probe", None)
    second = evaluate(workspace, run, data)
    assert second.methods == first.methods
    assert len([e for e in results.evaluations(run) if e.name == first.name]) == 1


def test_a_run_and_its_twin_are_compared_on_the_same_images(world, data):
    workspace, run, twin = world
    mine, theirs = evaluate(workspace, run, data), evaluate(workspace, twin, data)
    assert mine.test_digest == theirs.test_digest
    assert theirs.twin == run.id
    here, there = results.path_of(run, mine), results.path_of(twin, theirs)
    assert results.correct(here).shape == (6,)
    within = results.difference([(here, "run")], [(here, "twin")])
    across = results.difference([(here, "run")], [(there, "run")])
    assert within == across
    other = evaluate(workspace, run)
    with pytest.raises(ValueError, match="different test images"):
        results.difference([(here, "run")], [(results.path_of(run, other), "run")])


def test_without_a_twin_the_note_names_the_command(world, data, tmp_path):
    workspace, run, twin = world
    hidden = twin.encoder_path.rename(tmp_path / "hidden")
    try:
        found = evaluate(workspace, run, data)
    finally:
        hidden.rename(twin.encoder_path)
    assert found.brief()["baselines"]["twin"] is None
    note = next(note for note in found.notes if note.key == "evaluation.no_twin")
    assert note.values == {"kind": "image", "command": twin_command(workspace, run)}


def test_the_twins_command_makes_the_twin(world):
    workspace, run, twin = world
    words = shlex.split(twin_command(workspace, run))
    options = dict(zip(words[2::2], words[3::2], strict=True))
    settings = [word for before, word in itertools.pairwise(words) if before == "--set"]
    changes = {"loss": options["--loss"], "views.kind": options["--views"]} | {
        "seed": int(options["--seed"])
    }
    assert with_changes(PRESETS, options["--preset"], changes | parsed(settings)) == twin.config


def test_cancelling_leaves_no_result(world, tmp_path):
    workspace, run, _ = world
    path = folder(tmp_path / "other")

    def stop(done, total, note=""):
        if done >= 40:
            raise Cancelled

    before = len(results.evaluations(run))
    with pytest.raises(Cancelled):
        evaluate(workspace, run, path, stop)
    assert len(results.evaluations(run)) == before


def test_a_run_that_has_not_finished_is_refused(world, data):
    workspace, _, _ = world
    fresh = runs.create(workspace, config("image"))
    with pytest.raises(UserError) as error:
        evaluate(workspace, fresh, data)
    assert error.value.key == "training.not_finished"


def test_embeddings_are_kept_beside_the_figures(world, data):
    workspace, run, _ = world
    path = results.path_of(run, evaluate(workspace, run, data))
    embeddings = read(path.with_suffix(".npz"), "embeddings")["embeddings"]
    assert embeddings.shape == (12, 512)
    assert embeddings.dtype == np.float32


def test_large_sets_are_thinned_evenly(tmp_path):
    names = ["a"] * 100 + ["b"] * 20
    many = [samples.Sample(str(i), name, None, "", tmp_path) for i, name in enumerate(names)]
    kept = [sample.label for sample in samples.thinned(many, 60)]
    assert (kept.count("a"), kept.count("b")) == (50, 10)
    assert samples.thinned(many, 60) == samples.thinned(many, 60)
