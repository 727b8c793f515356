"""``samclr``: a thin face of the core. Progress goes to stderr, the result to stdout."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from samclr_core import jobs
from samclr_core.config import with_changes
from samclr_core.jobs import Progress
from samclr_core.messages import LANGUAGES, Cancelled, UserError, say
from samclr_core.workspace import REPOSITORY, SAMPLE_DATA, Workspace

app = typer.Typer(
    help="Find out on your own photos whether contrastive views from SAM regions help.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
images_app = typer.Typer(help="What do we have, and may we use it?", no_args_is_help=True)
app.add_typer(images_app, name="images")

WorkspaceOption = Annotated[Path, typer.Option("--workspace", "-w", help="The workspace's folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same result.")]
ModelOption = Annotated[
    str, typer.Option(help="mobile_sam, vit_b, vit_l, vit_h, or the path of a checkpoint.")
]
SettingsOption = Annotated[
    list[str] | None, typer.Option("--set", help="Any other setting, as key=value.")
]
T = TypeVar("T")
ERROR_EXIT = 2
CANCELLED_EXIT = 130


@images_app.command("add")
def images_add(
    paths: Annotated[list[str], typer.Argument(help="Files, zips or folders.")],
    workspace: WorkspaceOption,
    void: Annotated[int | None, typer.Option(help="Class id without ground truth.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Take in photos, with labels from folder names or a CSV, and label maps."""

    def work(progress: Progress) -> dict:
        from samclr_core.images.intake import add_paths

        intake = add_paths(Workspace(workspace), paths, void, progress)
        return {
            "added": len(intake.added),
            "duplicates": len(intake.duplicates),
            "refused": [_refusal(refusal) for refusal in intake.refused],
        }

    _perform("images", work, as_json)


@app.command()
def regions(
    workspace: WorkspaceOption,
    model: ModelOption = "mobile_sam",
    preset: Annotated[str, typer.Option(help="draft or full.")] = "full",
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cut every image into SAM regions."""

    def work(progress: Progress) -> dict:
        from samclr_core.regions.batch import segment_workspace
        from samclr_core.regions.config import PRESETS

        config = with_changes(PRESETS, preset, {"model": model} | _settings(settings))
        summary = segment_workspace(_existing(workspace), config, progress=progress)
        return {
            "images": summary.images,
            "regions": summary.regions,
            "seconds": round(summary.seconds, 2),
            "model": summary.model,
        }

    _perform("regions", work, as_json)


@app.command()
def views(
    workspace: WorkspaceOption,
    pairs: Annotated[int, typer.Option(min=2, help="How many pairs to draw of each kind.")] = 500,
    seed: SeedOption = 0,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how often the two views of a pair show the same thing."""

    def work(progress: Progress) -> dict:
        from samclr_core.views.config import ViewsConfig
        from samclr_core.views.purity import measure

        config = ViewsConfig.of(_settings(settings))
        purity = measure(_existing(workspace), pairs, seed, progress, config)
        kinds = {"image": purity.image, "region": purity.region}
        return {
            "purity": {kind: round(e.mean, 4) for kind, e in kinds.items()},
            "ci95": {kind: [round(e.low, 4), round(e.high, 4)] for kind, e in kinds.items()},
            "reference": purity.reference,
            "pairs": purity.pairs,
        }

    _perform("views", work, as_json)


@app.command()
def train(
    workspace: WorkspaceOption,
    loss: Annotated[str, typer.Option(help="simclr.")] = "simclr",
    views: Annotated[str, typer.Option(help="image or region.")] = "region",
    preset: Annotated[str, typer.Option(help="quick, standard or gpu.")] = "quick",
    seed: SeedOption = 0,
    settings: SettingsOption = None,
    resume: Annotated[str | None, typer.Option(help="Go on with this run.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Train an encoder on pairs of views."""
    from samclr_core.training import runs
    from samclr_core.training.config import PRESETS

    def prepare() -> tuple[Workspace, runs.Run]:
        opened = _existing(workspace)
        if resume:
            return opened, runs.run(opened, resume)
        changes = {"loss": loss, "views.kind": views, "seed": seed} | _settings(settings)
        return opened, runs.create(opened, with_changes(PRESETS, preset, changes))

    opened, run = _or_exit(prepare)

    def work(progress: Progress) -> dict:
        from samclr_core.training.loop import train as train_run

        summary = train_run(opened, run, progress)
        return {
            "run": run.id,
            "steps": summary.steps,
            "seconds": round(summary.seconds, 2),
            "loss": round(summary.loss, 4),
        }

    _perform("training", work, as_json, folder=run.folder)


@app.command()
def evaluate(
    workspace: WorkspaceOption,
    run: Annotated[str, typer.Option(help="The run's name.")],
    data: Annotated[
        Path | None,
        typer.Option(help="A labelled folder; without it, the workspace's labelled images."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure what a run's encoder is worth, beside the baselines."""

    def work(progress: Progress) -> dict:
        from samclr_core.evaluation.evaluate import evaluate as evaluate_run
        from samclr_core.training import runs

        opened = _existing(workspace)
        return evaluate_run(opened, runs.run(opened, run), data, progress).brief()

    _perform("evaluation", work, as_json)


@app.command()
def report(
    workspace: WorkspaceOption,
    language: Annotated[str, typer.Option(help=" or ".join(LANGUAGES))] = "en",
    as_json: JsonOption = False,
) -> None:
    """Write the whole POC into one self-contained HTML file."""

    def work(progress: Progress) -> dict:
        from samclr_core.decision.report import write_report

        return {"report": str(write_report(_existing(workspace), language))}

    _perform("decision", work, as_json)


@app.command()
def demo(
    workspace: WorkspaceOption,
    preset: Annotated[str, typer.Option(help="quick, standard or gpu.")] = "quick",
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each kind of view.")] = 1,
    language: Annotated[str, typer.Option(help=" or ".join(LANGUAGES))] = "en",
    as_json: JsonOption = False,
) -> None:
    """Run the whole line on the sample data: region views beside image views."""

    def work(progress: Progress) -> dict:
        from samclr_core.decision.line import run_line

        scenes, probe = SAMPLE_DATA / "scenes", SAMPLE_DATA / "probe"
        opened = Workspace(workspace)
        return run_line(opened, scenes, probe, preset, seeds, language, progress)

    _perform("demo", work, as_json)


@app.command()
def weights(
    model: Annotated[str, typer.Argument(help="mobile_sam, vit_b, vit_l or vit_h.")] = "mobile_sam",
    as_json: JsonOption = False,
) -> None:
    """Get a SAM model's weights, so that no network is needed later."""

    def work(progress: Progress) -> dict:
        from samclr_core.regions.sam.weights import fetch

        return {"model": model, "weights": str(fetch(model, progress))}

    _perform("weights", work, as_json)


@app.command("app")
def app_command(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The app's port.")] = 8501,
    host: Annotated[str, typer.Option(help="Listen here; 0.0.0.0 is everyone.")] = "127.0.0.1",
) -> None:
    """Start the app."""
    script = REPOSITORY / "app.py"
    if not script.exists():
        _exit_with(UserError("core.no_app", path=script))
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    options = [f"--server.port={port}", f"--server.address={host}", "--server.headless=true"]
    # The theme and the upload limits stand in .streamlit/, which Streamlit looks for in the folder
    # it was started from; workspaces stay where the person called from.
    home = os.environ.get("SAMCLR_HOME", "workspaces")
    environment = os.environ | {"SAMCLR_HOME": str(Path(home).absolute())}
    raise typer.Exit(subprocess.call([*command, *options], cwd=REPOSITORY, env=environment))


def main() -> None:
    """The entry point of the command ``samclr``."""
    app()


def _refusal(refusal: Any) -> dict:
    """The sentence, and what the app needs to say it in another language."""
    error = refusal.error
    values = {name: str(value) for name, value in error.values.items()}
    return {"name": refusal.name, "reason": str(error), "key": error.key, "values": values}


def _existing(path: Path) -> Workspace:
    if not path.expanduser().is_dir():
        raise UserError("core.no_such_workspace", path=path)
    return Workspace(path)


def _settings(pairs: list[str] | None) -> dict[str, Any]:
    """``key=value`` pairs with YAML's idea of numbers, truth and lists."""
    settings = {}
    for pair in pairs or []:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UserError("core.not_a_setting", text=pair)
        try:
            settings[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UserError("core.not_a_setting", text=pair) from error
    return settings


def _perform(
    station: str, work: Callable[[Progress], dict], as_json: bool, folder: Path | None = None
) -> None:
    """Do ``work`` with a bar on stderr, in a job's folder where there is one; print its result."""
    launched_in = os.environ.get(jobs.FOLDER_VARIABLE)
    folder = folder or (Path(launched_in) if launched_in else None)
    result = _or_exit(lambda: _work_with_bar(station, work, folder))
    print(json.dumps(result, ensure_ascii=False) if as_json else _plain(result))


def _work_with_bar(station: str, work: Callable[[Progress], dict], folder: Path | None) -> dict:
    with _Bar(station) as bar:
        if folder is None:
            return work(bar)
        with jobs.at_work(folder, bar) as progress:
            result = work(progress)
            jobs.write_result(folder, result)
            return result


def _or_exit(call: Callable[[], T]) -> T:
    try:
        return call()
    except UserError as error:
        _exit_with(error)
    except (Cancelled, KeyboardInterrupt):
        print(say("core.stopped"), file=sys.stderr)
        raise typer.Exit(CANCELLED_EXIT) from None


def _exit_with(error: UserError) -> NoReturn:
    print(str(error), file=sys.stderr)
    raise typer.Exit(ERROR_EXIT) from None


def _plain(result: dict, indent: str = "") -> str:
    lines = []
    for key, value in result.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", _plain(value, indent + "  ")]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            lines += [f"{indent}{key}:", *(_plain(item, indent + "  ") for item in value)]
        else:
            lines.append(f"{indent}{key}: {value}")
    return "\n".join(lines)


class _Bar:
    """A progress bar on stderr that is called like :class:`samclr_core.jobs.Progress`."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._rich = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True),
        )

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._rich.tasks:
            self._rich.stop()

    def __call__(self, done: int, total: int, note: str = "") -> None:
        if not self._rich.tasks:
            # Only now, so that a refusal is one sentence and not a sentence below an empty bar.
            self._rich.start()
            self._rich.add_task(self._title, note="")
        task = self._rich.task_ids[0]
        self._rich.update(task, completed=done, total=total, note=note)


if __name__ == "__main__":
    main()
