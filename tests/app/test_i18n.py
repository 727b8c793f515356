"""Every text of the app exists in every language, is used, and goes through the catalogue."""

import ast
import re
import string
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from samclr_core.messages import LANGUAGES, core_catalogue
from ui.i18n import catalogue

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py")), *(ROOT / "ui").rglob("*.py")]
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
# Calls of Streamlit whose literal arguments would be read by a person.
SHOWN = {
    *("title", "header", "subheader", "markdown", "caption", "write", "text", "info", "success"),
    *("warning", "error", "button", "form_submit_button", "download_button", "selectbox", "slider"),
    *("text_input", "number_input", "toggle", "checkbox", "radio", "metric", "expander", "tabs"),
    *("file_uploader", "segmented_control", "pills", "select_slider", "progress", "page_link"),
    "path_field",
}
# What may be shown as it is: the product's name, Markdown around a value, code points of icons.
NEUTRAL = re.compile(r"^(SAMCLR Studio|[^A-Za-z]*|:material/\w+:|:gray\[|\]|lang|workspace)$")


def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def literals(tree: ast.AST) -> set[str]:
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("texts", [catalogue(), core_catalogue()], ids=["app", "core"])
def test_every_text_has_every_language_and_the_same_placeholders(texts):
    for key, languages in texts.items():
        assert set(languages) == set(LANGUAGES), key
        assert all(text.strip() for text in languages.values()), key
        fields = [placeholders(text) for text in languages.values()]
        assert all(found == fields[0] for found in fields), f"{key}: {fields}"


@pytest.mark.parametrize("texts", [catalogue(), core_catalogue()], ids=["app", "core"])
def test_bold_is_bold_whatever_stands_in_it(texts):
    """CommonMark's ** do not close between a sign, such as %, and a letter that follows."""
    for key, languages in texts.items():
        for text in languages.values():
            filled = re.sub(r"\{\w+\}", "60%", text)
            assert "**" not in MarkdownIt().render(filled), f"{key}: {text}"


def test_every_key_that_the_app_asks_for_exists():
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) == "t" and node.args:
                asked = node.args[0]
                if isinstance(asked, ast.Constant):
                    where = f"{path.name}:{node.lineno}"
                    assert asked.value in catalogue(), f"{where} asks for {asked.value}"


def test_every_call_fills_the_placeholders_of_its_text():
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and called(node) == "t" and node.args):
                continue
            asked = node.args[0]
            if isinstance(asked, ast.Constant):
                given = {keyword.arg for keyword in node.keywords}
                wanted = placeholders(catalogue()[asked.value]["en"])
                assert given == wanted, f"{path.name}:{node.lineno} {asked.value}"


def test_no_text_is_left_over():
    used = set().union(*(literals(tree) for tree in trees().values()))
    left = {key for key in catalogue() if key not in used}
    assert not left, f"no page uses {sorted(left)}"


def test_no_text_goes_around_the_catalogue():
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) in SHOWN:
                shown = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "help")]
                for argument in shown:
                    for text in literals(argument) if isinstance(argument, ast.Constant) else ():
                        where = f"{path.name}:{node.lineno}"
                        assert NEUTRAL.match(text), f"{where} shows “{text}”"


def test_japanese_stands_in_the_catalogue_only():
    for path, tree in trees().items():
        found = {text for text in literals(tree) if JAPANESE.search(text)}
        assert found <= {"日本語"}, f"{path.name}: {found}"
