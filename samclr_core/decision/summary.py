"""What the whole POC came to: the facts of every station, and what they mean in a sentence."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from samclr_core.estimate import Estimate
from samclr_core.evaluation import results
from samclr_core.evaluation.intervals import LEAST_SEEDS
from samclr_core.evaluation.labels_saved import LabelsNeeded
from samclr_core.evaluation.results import Evaluation, Method, Note, Side
from samclr_core.images import catalogue
from samclr_core.messages import say
from samclr_core.regions import sources
from samclr_core.training import runs
from samclr_core.training.runs import Run
from samclr_core.views.config import OTHER_KIND
from samclr_core.views.purity import Purity, last_measured
from samclr_core.workspace import Workspace

VIEWS = ("region", "image")
BASELINES = ("start", "colour")


@dataclass(frozen=True)
class Regions:
    """The regions in use."""

    count: int
    images: int
    seconds: float
    model: str


@dataclass(frozen=True)
class Cost:
    """Measured machine time of one station.

    Attributes:
        station: its name.
        amount: how many were made: images cut, pairs judged, steps trained, runs evaluated.
        seconds: for all of them.
    """

    station: str
    amount: int
    seconds: float

    @property
    def each(self) -> float:
        return self.seconds / self.amount

    @property
    def each_in_digits(self) -> str:
        """Seconds for one with two digits that count, as pairs take a thousandth of a run's."""
        return f"{self.each:.0f}" if self.each >= 10 else f"{self.each:.2g}"


@dataclass(frozen=True)
class Evaluated:
    """An evaluation, its run, and the file it is in."""

    run: Run
    evaluation: Evaluation
    path: Path

    @property
    def seed(self) -> int:
        return self.run.config.seed


@dataclass(frozen=True)
class Judged:
    """An encoder as one evaluation judged it: as its ``run``, or as the ``twin`` beside it."""

    by: Evaluated
    role: str

    @property
    def method(self) -> Method:
        return self.by.evaluation.methods[self.role]

    @property
    def answers(self) -> tuple[Path, str]:
        """Where its answers to the test images are, as :func:`results.difference` wants them."""
        return self.by.path, self.role


@dataclass(frozen=True)
class Row:
    """One kind of features on the test images.

    Attributes:
        kind: ``region`` or ``image`` for an encoder trained on such views, ``start``, ``colour``.
        seed: of the training; None for a baseline.
        method: what it is worth.
    """

    kind: str
    seed: int | None
    method: Method


@dataclass(frozen=True)
class Comparison:
    """Two kinds of features on the same test images, over the seeds that were trained.

    Attributes:
        against: ``twin`` is region views minus image views; ``start`` and ``colour`` are a trained
            encoder minus that baseline.
        views: of the trained encoder; for ``twin`` it is ``region``.
        difference: of the linear probe's accuracy; all of a verdict's intervals together hold with
            95%.
        seeds: trainings on each side.
        images: test images.
        labels: needed for what is subtracted reaches with all; None where there are no curves,
            and beside colours.
    """

    against: str
    views: str
    difference: Estimate
    seeds: int
    images: int
    labels: LabelsNeeded | None


@dataclass(frozen=True)
class Verdict:
    """What is known on one set of labelled images.

    Attributes:
        data: its name.
        evaluated: the evaluations it rests on: region views first, then by seed.
        rows: every encoder that was judged, in the same order, then the baselines.
        comparisons: what was compared.
        sentences: what that means, the most important first.
    """

    data: str
    evaluated: list[Evaluated]
    rows: list[Row]
    comparisons: list[Comparison]
    sentences: list[Note]


@dataclass(frozen=True)
class Summary:
    """The facts of every station and the verdicts."""

    images: int
    labelled: int
    label_maps: int
    regions: Regions | None
    purity: Purity | None
    runs: list[Run]
    costs: list[Cost]
    verdicts: list[Verdict] = field(default_factory=list)


def summarise(workspace: Workspace) -> Summary:
    """Everything a decision needs, read from the workspace as it is now."""
    images = catalogue.records(workspace)
    regions = _regions(workspace, [image.id for image in images])
    purity = last_measured(workspace)
    finished = [run for run in runs.runs(workspace) if run.finished]
    evaluated = [
        Evaluated(run, evaluation, results.path_of(run, evaluation))
        for run in finished
        for evaluation in results.evaluations(run)
    ]
    return Summary(
        images=len(images),
        labelled=sum(image.label is not None for image in images),
        label_maps=sum(image.has_label_map for image in images),
        regions=regions,
        purity=purity,
        runs=finished,
        costs=_costs(regions, purity, finished, evaluated),
        verdicts=[_verdict(family) for family in _families(evaluated)],
    )


def _regions(workspace: Workspace, image_ids: list[str]) -> Regions | None:
    source = sources.current(workspace)
    found = [sources.regions(workspace, image_id, source) for image_id in image_ids]
    kept = [regions for regions in found if regions]
    if not source or not kept:
        return None
    return Regions(
        count=sum(len(regions.regions) for regions in kept),
        images=len(kept),
        seconds=sum(regions.seconds for regions in kept),
        model=source.segmenter.model_name,
    )


def _costs(
    regions: Regions | None,
    purity: Purity | None,
    finished: list[Run],
    evaluated: list[Evaluated],
) -> list[Cost]:
    steps = sum(run.facts.get("steps", 0) for run in finished)
    total = sum(item.evaluation.seconds["total"] for item in evaluated)
    costs = [
        Cost("regions", regions.images, regions.seconds) if regions else None,
        Cost("views", 2 * purity.pairs, purity.seconds) if purity else None,
        Cost("training", steps, sum(run.seconds for run in finished)),
        Cost("evaluation", len(evaluated), total),
    ]
    return [cost for cost in costs if cost and cost.amount]


def _families(evaluated: Iterable[Evaluated]) -> list[list[Evaluated]]:
    """Evaluations that answer the same question: they differ in seed and kind of views only."""
    families: dict[tuple, list[Evaluated]] = defaultdict(list)
    for item in evaluated:
        config = item.run.config
        rest = config.model_dump_json(exclude={"seed", "views"})
        images = tuple(item.run.images)
        key = (item.evaluation.data_name, item.evaluation.test_digest, config.views.size)
        families[(*key, rest, images)].append(item)
    return list(families.values())


def _verdict(family: list[Evaluated]) -> Verdict:
    judged = _judged(family)
    comparisons = _comparisons(judged)
    evaluated = [found.by for found in judged.values() if found.role == "run"]
    data = evaluated[0].evaluation.data_name
    return Verdict(data, evaluated, _rows(judged), comparisons, _sentences(data, comparisons))


def _judged(family: list[Evaluated]) -> dict[tuple[str, int], Judged]:
    """The newest judgement by views and seed, region views first: by itself, else as a twin."""
    found: dict[tuple[str, int], Judged] = {}
    for item in family:
        found.setdefault((item.evaluation.views, item.seed), Judged(item, "run"))
    for item in family:
        if "twin" in item.evaluation.methods:
            found.setdefault((OTHER_KIND[item.evaluation.views], item.seed), Judged(item, "twin"))
    return {key: found[key] for key in sorted(found, key=lambda key: (VIEWS.index(key[0]), key[1]))}


def _rows(judged: dict[tuple[str, int], Judged]) -> list[Row]:
    rows = [Row(views, seed, found.method) for (views, seed), found in judged.items()]
    # A baseline is the same for all, but for a random start, which has a seed of its own.
    methods = next(iter(judged.values())).by.evaluation.methods
    return rows + [Row(baseline, None, methods[baseline]) for baseline in BASELINES]


def _twin_sides(judged: dict[tuple[str, int], Judged]) -> tuple[Side, Side]:
    """Region views and image views, seed by seed, where both were judged."""
    seeds = [seed for views, seed in judged if views == "image" and ("region", seed) in judged]
    region, image = ([judged[views, seed].answers for seed in seeds] for views in VIEWS)
    return region, image


def _sides(judged: dict[tuple[str, int], Judged], views: str, baseline: str) -> tuple[Side, Side]:
    found = [found for (kind, _), found in judged.items() if kind == views]
    return [f.answers for f in found], [(f.by.path, baseline) for f in found]


def _comparisons(judged: dict[tuple[str, int], Judged]) -> list[Comparison]:
    """Region views beside image views, then both beside the baselines, where they were judged."""
    sides = {("twin", "region"): _twin_sides(judged)} | {
        (baseline, views): _sides(judged, views, baseline)
        for views in VIEWS
        for baseline in BASELINES
    }
    there = {key: (ours, theirs) for key, (ours, theirs) in sides.items() if ours}
    return [_compare(*key, *both, len(there)) for key, both in there.items()]


def _compare(against: str, views: str, ours: Side, theirs: Side, together: int) -> Comparison:
    images = results.load(ours[0][0]).n_test
    # Nobody would go on with colours, so labels are not counted beside them.
    labels = results.labels_saved(ours, theirs) if against != "colour" else None
    gap = results.difference(ours, theirs, comparisons=together)
    return Comparison(against, views, gap, len(ours), images, labels)


def _sentences(data: str, comparisons: list[Comparison]) -> list[Note]:
    twins = next((c for c in comparisons if c.against == "twin"), None)
    first = _about_twins(data, twins, len(comparisons)) if twins else [Note(key="decision.no_twin")]
    return first + [note for c in comparisons for note in _against_baseline(c)]


def _about_twins(data: str, twins: Comparison, together: int) -> list[Note]:
    found = [
        _named(twins, "region_better", "region_worse", "no_difference", data=data),
        Note(
            key="decision.basis",
            values={"differences": together, "images": twins.images, "seeds": twins.seeds},
        ),
    ]
    if twins.seeds < LEAST_SEEDS:
        found.append(
            Note(key="decision.few_seeds", values={"seeds": twins.seeds, "least": LEAST_SEEDS})
        )
    return found + _saved(twins)


def _against_baseline(comparison: Comparison) -> list[Note]:
    views = comparison.views
    if comparison.against == "start":
        keys = ("gain_over_start", "loss_to_start", "no_gain_over_start")
        return [_named(comparison, *keys, views=views), *_saved(comparison)]
    if comparison.against == "colour" and comparison.difference.low <= 0:
        return [Note(key="decision.colour_suffices", values={"views": views})]
    return []


def _saved(comparison: Comparison) -> list[Note]:
    """The labels saved, where the curve gets there."""
    found = comparison.labels
    if not found or found.labels is None or found.low is None:
        return []
    values: dict[str, str | int | float] = {
        "needed": f"{found.labels:.0f}",
        "all": found.all,
        "low": f"{found.low:.0f}",
        "high": f">{found.all}" if found.high is None else f"{found.high:.0f}",
        "views": comparison.views,
    }
    return [Note(key=f"decision.labels_{comparison.against}", values=values)]


def _named(comparison: Comparison, above: str, below: str, neither: str, **values: str) -> Note:
    """The sentence for where the interval lies, its ends in points, without a sign where named."""
    low, high = comparison.difference.low, comparison.difference.high
    if low > 0:
        key, ends = above, (f"{100 * low:.1f}", f"{100 * high:.1f}")
    elif high < 0:
        key, ends = below, (f"{-100 * high:.1f}", f"{-100 * low:.1f}")
    else:
        key, ends = neither, (f"{100 * low:+.1f}", f"{100 * high:+.1f}")
    return Note(key=f"decision.{key}", values={"low": ends[0], "high": ends[1], **values})


def spoken(note: Note, language: str) -> str:
    """The sentence in ``language``, with the kind of views in its words."""
    values = dict(note.values)
    if "views" in values:
        values["views"] = say(f"decision.view_{values['views']}", language)
    return say(note.key, language, **values)
