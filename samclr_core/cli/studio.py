"""``samclr app``: the pages, in a browser."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from samclr_core.cli.common import exit_with
from samclr_core.messages import UserError
from samclr_core.workspace import REPOSITORY


def start(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The app's port.")] = 8501,
    host: Annotated[str, typer.Option(help="Listen here; 0.0.0.0 is everyone.")] = "127.0.0.1",
) -> None:
    """Start the app."""
    script = REPOSITORY / "app.py"
    if not script.exists():
        exit_with(UserError("core.no_app", path=script))
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    options = [f"--server.port={port}", f"--server.address={host}", "--server.headless=true"]
    # The theme and the upload limits stand in .streamlit/, which Streamlit looks for in the folder
    # it was started from; workspaces stay where the person called from.
    home = os.environ.get("SAMCLR_HOME", "workspaces")
    environment = os.environ | {"SAMCLR_HOME": str(Path(home).absolute())}
    raise typer.Exit(subprocess.call([*command, *options], cwd=REPOSITORY, env=environment))
