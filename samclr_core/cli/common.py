"""What all commands share: options, and one way to do the work and print its result.

Heavy libraries are imported by the commands that need them, so that ``--help`` is instant.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
import yaml

from samclr_core import jobs
from samclr_core.cli.bar import Bar
from samclr_core.jobs import Progress
from samclr_core.messages import LANGUAGES, Cancelled, UserError, say
from samclr_core.paths import expanded
from samclr_core.workspace import Workspace

WorkspaceOption = Annotated[Path, typer.Option("--workspace", "-w", help="The workspace's folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same result.")]
LanguageOption = Annotated[str, typer.Option(help=" or ".join(LANGUAGES))]
SettingsOption = Annotated[
    list[str] | None, typer.Option("--set", help="Any other setting, as key=value.")
]
SourceOption = Annotated[
    str | None,
    typer.Option("--source", help="Regions by the name a perturbation gave them."),
]
T = TypeVar("T")
ERROR_EXIT = 2
CANCELLED_EXIT = 130


def existing(path: Path | None) -> Workspace:
    """The workspace at ``path``, which must be there already.

    Raises:
        UserError: it is not, or no path was given.
    """
    if path is None:
        raise UserError("core.workspace_needed")
    if not expanded(path).is_dir():
        raise UserError("core.no_such_workspace", path=path)
    return Workspace(path)


def parsed(pairs: list[str] | None) -> dict[str, Any]:
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


def perform(
    station: str, work: Callable[[Progress], dict], as_json: bool, folder: Path | None = None
) -> None:
    """Do ``work`` with a bar on stderr, in a job's folder where there is one; print its result."""
    launched_in = os.environ.get(jobs.FOLDER_VARIABLE)
    folder = folder or (Path(launched_in) if launched_in else None)
    result = or_exit(lambda: _work_with_bar(station, work, folder))
    print(json.dumps(result, ensure_ascii=False) if as_json else _plain(result))


def _work_with_bar(station: str, work: Callable[[Progress], dict], folder: Path | None) -> dict:
    with Bar(station) as bar:
        if folder is None:
            return work(bar)
        with jobs.at_work(folder, bar) as progress:
            result = work(progress)
            jobs.write_result(folder, result)
            return result


def or_exit(call: Callable[[], T]) -> T:
    """The result of ``call``; a mistake of the caller's is one sentence and an exit code."""
    try:
        return call()
    except UserError as error:
        exit_with(error)
    except (Cancelled, KeyboardInterrupt):
        print(say("core.stopped"), file=sys.stderr)
        raise typer.Exit(CANCELLED_EXIT) from None


def exit_with(error: UserError) -> NoReturn:
    """Say what was wrong, in one sentence, and leave."""
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
