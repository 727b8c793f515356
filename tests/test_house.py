"""The rules that keep it a good house, read from the imports."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = ROOT / "samclr_core"
LINE = ["images", "regions", "views", "training", "evaluation", "decision"]
MAX_LINES = 400
PLACES = "samclr_core|ui|pages|benchmarks|tests|studies|sample_data|docs"


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def python_files() -> list[Path]:
    folders = ["samclr_core", "ui", "pages", "benchmarks", "sample_data", "tests"]
    return [ROOT / "app.py", *(p for f in folders for p in sorted((ROOT / f).rglob("*.py")))]


@pytest.mark.parametrize("station", LINE)
def test_a_station_imports_only_stations_to_its_left(station):
    to_its_right = {f"samclr_core.{name}" for name in LINE[LINE.index(station) + 1 :]}
    for path in (CORE / station).rglob("*.py"):
        wrong = {name for name in imports(path) if name.startswith(tuple(to_its_right))}
        assert not wrong, f"{path.relative_to(ROOT)} leans to the right: {wrong}"


def test_the_base_imports_no_station():
    for path in CORE.glob("*.py"):
        stations = tuple(f"samclr_core.{name}" for name in LINE)
        assert not {name for name in imports(path) if name.startswith(stations)}, path


def test_the_core_knows_no_screen():
    for path in CORE.rglob("*.py"):
        screens = {
            n for n in imports(path) if n.split(".")[0] in {"streamlit", "ui", "pages", "app"}
        }
        assert not screens, f"{path.relative_to(ROOT)} imports {screens}"


def test_only_the_workspace_knows_where_things_are():
    for path in CORE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "workspace.py":
            assert "SAMCLR_HOME" not in text or path.name == "studio.py", path
            assert "Path.home" not in text, path


def test_every_station_has_its_page():
    # Reviewing regions takes a page of its own.
    pages = [*LINE, "review"]
    assert sorted(path.stem for path in (ROOT / "pages").glob("*.py")) == sorted(pages)


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
def test_what_the_docs_name_is_there(page):
    text = page.read_text(encoding="utf-8")
    linked = {page.parent / path for path in re.findall(r"\]\(([^):#]+)\)", text)}
    named = {ROOT / path for path in re.findall(rf"`((?:{PLACES})/[\w/.-]*)`", text)}
    assert [str(path) for path in sorted(linked | named) if not path.exists()] == []


def test_files_stay_short():
    for path in python_files():
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= MAX_LINES, f"{path.relative_to(ROOT)} has {lines} lines"


def test_the_command_line_starts_without_the_heavy_libraries():
    code = (
        "import sys, samclr_core.cli; "
        "heavy = {'torch', 'timm', 'sklearn', 'umap', 'streamlit', 'plotly'} & set(sys.modules); "
        "sys.exit(', '.join(heavy) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
