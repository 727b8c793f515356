"""A trained encoder for use elsewhere: weights for timm, or a network without any of our code."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from samclr_core.messages import UserError
from samclr_core.training import runs
from samclr_core.training.backbones import Backbone
from samclr_core.training.backbones.nets import FROM_TIMM, RESNETS, TIMM
from samclr_core.training.runs import Run
from samclr_core.workspace import whole, write_atomic

SUFFIXES = {"safetensors": ".safetensors", "torchscript": ".pt", "onnx": ".onnx"}
INPUT, OUTPUT = "images", "features"
# Of float32 sums in another order.
TOLERANCE = 1e-3
ONNX_OPSET = 17


def export(run: Run, kind: str, path: Path | None = None) -> Path:
    """Write the encoder of a finished run.

    ``safetensors`` are the network's own weights under its library's names: timm loads them with
    ``create_model(NAME, num_classes=0, checkpoint_path=PATH)``, where NAME is ``timm_model`` in
    the file's metadata. ``torchscript`` and ``onnx`` are whole networks from ImageNet-normalised
    RGB, float32 [N, 3, S, S] with S as in training, to features [N, dim]; both are checked against
    the encoder on random input.

    Args:
        run: finished.
        kind: one of :data:`SUFFIXES`.
        path: of the file; by default ``export/encoder`` in the run's folder.

    Raises:
        UserError: the run has not finished, there is no such kind, or what was written does not
            give the encoder's features.
    """
    if kind not in _WRITERS:
        raise UserError("training.unknown_export", name=kind, known=", ".join(_WRITERS))
    encoder = runs.load_encoder(run)
    path = path or run.folder / "export" / f"encoder{SUFFIXES[kind]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    _WRITERS[kind](run, encoder, path)
    return path


def timm_name(run: Run) -> str | None:
    """The model of timm that the run's weights fit; None where there is none."""
    name = run.config.backbone
    # timm's ResNets have torchvision's names, but not its 3 x 3 stem.
    if name in RESNETS:
        return None if run.config.small_stem else name
    return FROM_TIMM.get(name) or (name.removeprefix(TIMM) if name.startswith(TIMM) else None)


def _metadata(run: Run) -> dict[str, str]:
    config = run.config
    found = {"run": run.id, "backbone": config.backbone, "size": str(config.views.size)}
    name = timm_name(run)
    return found | {"timm_model": name} if name else found


def _safetensors(run: Run, encoder: Backbone, path: Path) -> None:
    state = {name: tensor.contiguous() for name, tensor in encoder.net.state_dict().items()}
    write_atomic(path, save(state, metadata=_metadata(run)))


def _torchscript(run: Run, encoder: Backbone, path: Path) -> None:
    _at_size(encoder, run)
    with warnings.catch_warnings(), torch.no_grad(), whole(path) as part:
        # TorchScript is deprecated, and still what many plants' runtimes read.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(encoder, _random(run))
        torch.jit.save(traced, str(part), {"samclr.json": json.dumps(_metadata(run))})
        loaded = torch.jit.load(str(part))
        _check(run, encoder, lambda images: loaded(images))


def _onnx(run: Run, encoder: Backbone, path: Path) -> None:
    import onnx
    from onnx.reference import ReferenceEvaluator

    _at_size(encoder, run)
    with warnings.catch_warnings(), whole(path) as part:
        warnings.simplefilter("ignore")
        torch.onnx.export(
            encoder,
            (_random(run),),
            str(part),
            # The newer exporter wants a further package for the same graph.
            dynamo=False,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "n"}, OUTPUT: {0: "n"}},
            opset_version=ONNX_OPSET,
        )
        model = onnx.load(part)
        onnx.helper.set_model_props(model, _metadata(run))
        onnx.save(model, part)
        evaluator: Any = ReferenceEvaluator(model)
        _check(
            run,
            encoder,
            lambda images: torch.from_numpy(evaluator.run(None, {INPUT: images.numpy()})[0]),
        )


_WRITERS: dict[str, Callable[[Run, Backbone, Path], None]] = {
    "safetensors": _safetensors,
    "torchscript": _torchscript,
    "onnx": _onnx,
}


def _at_size(encoder: Backbone, run: Run) -> None:
    """Transformers get their position embedding for this size once and for all."""
    resize = getattr(encoder.net, "set_input_size", None)
    if resize is not None:
        resize((run.config.views.size, run.config.views.size))


def _random(run: Run, count: int = 2) -> Tensor:
    size = run.config.views.size
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(0))


def _check(run: Run, encoder: Backbone, written: Callable[[Tensor], Tensor]) -> None:
    """Another number of images than the graph was made with, through both."""
    images = _random(run, count=3)
    with torch.no_grad():
        wanted, found = encoder(images).numpy(), written(images).numpy()
    off = np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-6)
    if off > TOLERANCE:
        raise UserError("training.export_differs", off=f"{off:.1e}", limit=f"{TOLERANCE:.0e}")
