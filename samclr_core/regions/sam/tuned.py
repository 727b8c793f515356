"""Models that were tuned in a workspace: their mask decoder in a file, and where the rest is from.

A tuned model is ``models/<name>/<name>.safetensors``. Wherever a model can be named, its path can
stand, and in its workspace its name. Its two encoders are those of the model it was tuned from,
which the file names together with the SHA-256 of that model's weights.
"""

from dataclasses import dataclass
from pathlib import Path, PurePath

from samclr_core.messages import UserError
from samclr_core.paths import expanded
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.sam.weights import RELEASES, SUFFIXES
from samclr_core.workspace import NAME_PATTERN, Workspace, read_json, write_json

ABOUT = "model.json"


@dataclass(frozen=True)
class Base:
    """The model that a decoder was tuned from: its name or path, and its weights' SHA-256."""

    model: str
    sha256: str

    def metadata(self) -> dict[str, str]:
        """As it is written into the file."""
        return {"base_model": self.model, "base_sha256": self.sha256}

    @classmethod
    def of_file(cls, path: Path) -> "Base | None":
        """The base of a tuned decoder; None where the file is something else."""
        from safetensors import safe_open

        if path.suffix.lower() != ".safetensors":
            return None
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
        if "base_model" not in metadata:
            return None
        return cls(metadata["base_model"], metadata["base_sha256"])


def new_path(workspace: Workspace, name: str) -> Path:
    """Where the decoder of a new model will be.

    Raises:
        UserError: the name cannot be used, or another model has it.
    """
    plain = NAME_PATTERN.fullmatch(name) and name.strip(". ") == name
    if not plain or PurePath(name).suffix.lower() in SUFFIXES:
        raise UserError("tuning.bad_name", name=name)
    if name in RELEASES or (workspace.models / name / ABOUT).exists():
        raise UserError("tuning.name_taken", name=name)
    return _file(workspace, name)


def names(workspace: Workspace) -> list[str]:
    """The tuned models of a workspace, sorted; one that is not finished is not among them."""
    return sorted(path.parent.name for path in workspace.models.glob(f"*/{ABOUT}"))


def about(workspace: Workspace, name: str) -> dict:
    """What was written down about a tuned model.

    Raises:
        UserError: there is none of that name.
    """
    found = read_json(workspace.models / name / ABOUT)
    if found is None:
        raise _unknown(workspace, name)
    return found


def finish(workspace: Workspace, name: str, content: dict) -> None:
    """Write down what a new model is; from then on it can be chosen."""
    write_json(workspace.models / name / ABOUT, content)


def located(workspace: Workspace, config: SegmenterConfig) -> SegmenterConfig:
    """``config`` with the path of its model where that is a tuned one of this workspace.

    Raises:
        UserError: the model is a name, and nobody's.
    """
    found = at_home(workspace, config)
    if found.model not in RELEASES and PurePath(found.model).suffix.lower() not in SUFFIXES:
        raise _unknown(workspace, found.model)
    return found


def at_home(workspace: Workspace, config: SegmenterConfig) -> SegmenterConfig:
    """The same; a model that is not there is left for the one who loads it to complain about.

    A workspace that was moved or copied brings its models along: a path that leads nowhere is
    looked for by its name.
    """
    model = config.model
    if model in RELEASES or expanded(model).is_file():
        return config
    path = PurePath(model)
    name = path.stem if path.suffix.lower() in SUFFIXES else model
    known = name in names(workspace)
    return config.model_copy(update={"model": str(_file(workspace, name))}) if known else config


def _file(workspace: Workspace, name: str) -> Path:
    return workspace.models / name / f"{name}.safetensors"


def _unknown(workspace: Workspace, name: str) -> UserError:
    known = ", ".join([*RELEASES, *names(workspace)])
    return UserError("regions.unknown_model", name=name, known=known)
