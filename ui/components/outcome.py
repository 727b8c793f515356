"""What became of files that came in, whether by upload or by a process of its own."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from samclr_core.images.intake import Intake
from samclr_core.messages import UserError
from ui.i18n import language, t


@dataclass(frozen=True)
class Outcome:
    """How many files came in, and which were refused with which sentence."""

    added: int
    duplicates: int
    refused: tuple[tuple[str, UserError | str], ...]


def of_intake(intake: Intake) -> Outcome:
    """The outcome of an import in this process."""
    refused = tuple((refusal.name, refusal.error) for refusal in intake.refused)
    return Outcome(len(intake.added), len(intake.duplicates), refused)


def of_result(result: dict[str, Any]) -> Outcome:
    """The outcome of ``samclr images add``, from its result."""
    return Outcome(
        result["added"], result["duplicates"], tuple(_refusal(row) for row in result["refused"])
    )


def outcome_box(outcome: Outcome) -> None:
    """One line, and the refusals file by file below it."""
    text = t("images.outcome", added=outcome.added, duplicates=outcome.duplicates)
    st.success(text, icon=":material/check_circle:")
    if not outcome.refused:
        return
    st.warning(t("images.refused", count=len(outcome.refused)), icon=":material/block:")
    rows = [
        {t("images.file"): name, t("images.reason"): _reason(error)}
        for name, error in outcome.refused
    ]
    st.dataframe(rows, hide_index=True, height=min(320, 38 * len(rows) + 40))


def _refusal(row: dict[str, Any]) -> tuple[str, UserError | str]:
    if "key" in row:
        return row["name"], UserError(row["key"], **row["values"])
    return row["name"], row["reason"]


def _reason(error: UserError | str) -> str:
    return error if isinstance(error, str) else error.text(language())
