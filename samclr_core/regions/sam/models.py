"""SAM models ready to use: MobileSAM, the official checkpoints, or any local one."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from segment_anything import sam_model_registry
from segment_anything.modeling import MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

from samclr_core.device import device_of
from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.regions.sam import weights
from samclr_core.regions.sam.download import sha256_of
from samclr_core.regions.sam.tinyvit import (
    EMBEDDING_DIM,
    IMAGE_SIZE,
    TinyVitEncoder,
    from_mobile_sam,
)
from samclr_core.regions.sam.tuned import Base

State = dict[str, torch.Tensor]
VIT_BY_WIDTH = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}
ENCODER = "image_encoder."


def available() -> dict[str, bool]:
    """The models by name, and whether their weights are on this machine already."""
    return {name: weights.available(name) for name in weights.RELEASES}


def load_model(
    name: str, device: torch.device | str | None = None, progress: Progress = silent
) -> Sam:
    """A SAM model in eval mode, its weights fetched where they are missing.

    Args:
        name: ``mobile_sam``, ``vit_b``, ``vit_l``, ``vit_h``, or the path of a checkpoint or of a
            tuned decoder.
        device: where it runs; by default a GPU where there is one.
        progress: of the download, where there is one.

    Raises:
        UserError: the weights cannot be had, or the file is no SAM checkpoint.
    """
    path = weights.fetch(name, progress)
    state = _state(path, progress)
    model = _build(state, path)
    _fill(model, state, path)
    # The layout that convolutions are quickest in, on CPUs and GPUs alike.
    model.image_encoder.to(memory_format=torch.channels_last)
    return model.eval().to(device or device_of())


def variant(state: State) -> str | None:
    """Which SAM a state dict belongs to: ``mobile_sam``, ``vit_b``, ``vit_l`` or ``vit_h``."""
    if any(name.startswith((f"{ENCODER}layers.", f"{ENCODER}stages.")) for name in state):
        return "mobile_sam"
    patches = state.get(f"{ENCODER}patch_embed.proj.weight")
    return VIT_BY_WIDTH.get(patches.shape[0]) if patches is not None else None


def mobile_sam() -> Sam:
    """MobileSAM with random weights."""
    grid = IMAGE_SIZE // 16
    transformer = TwoWayTransformer(depth=2, embedding_dim=EMBEDDING_DIM, mlp_dim=2048, num_heads=8)
    return Sam(
        image_encoder=TinyVitEncoder(),
        prompt_encoder=PromptEncoder(
            embed_dim=EMBEDDING_DIM,
            image_embedding_size=(grid, grid),
            input_image_size=(IMAGE_SIZE, IMAGE_SIZE),
            mask_in_chans=16,
        ),
        mask_decoder=MaskDecoder(
            num_multimask_outputs=3, transformer=transformer, transformer_dim=EMBEDDING_DIM
        ),
    )


def _state(path: Path, progress: Progress) -> State:
    """All weights with our names; those that a tuned decoder lacks are its base's."""
    state = _renamed(_read(path))
    base = Base.of_file(path)
    if not base:
        return state
    source = weights.fetch(base.model, progress)
    if sha256_of(source) != base.sha256:
        raise UserError("tuning.other_base", name=path.stem, base=base.model)
    return _state(source, progress) | state


def _read(path: Path) -> State:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # Whatever a broken file makes the two readers raise, it is no checkpoint.
        raise UserError("regions.bad_checkpoint", name=path.name) from error
    # Training scripts like to wrap the weights once.
    for key in ("model", "state_dict"):
        content = content.get(key, content) if isinstance(content, dict) else {}
    return {n: t for n, t in content.items() if isinstance(t, torch.Tensor)}


def _build(state: State, path: Path) -> Sam:
    found = variant(state)
    if not found:
        raise UserError("regions.bad_checkpoint", name=path.name)
    return mobile_sam() if found == "mobile_sam" else sam_model_registry[found]()


def _renamed(state: State) -> State:
    """The state with our names; only ``mobile_sam.pt`` has others."""
    if not any(name.startswith(f"{ENCODER}layers.") for name in state):
        return state
    encoder = {n.removeprefix(ENCODER): t for n, t in state.items() if n.startswith(ENCODER)}
    others = {n: t for n, t in state.items() if not n.startswith(ENCODER)}
    return others | {f"{ENCODER}{n}": t for n, t in from_mobile_sam(encoder).items()}


def _fill(model: Sam, state: State, path: Path) -> None:
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise UserError("regions.bad_checkpoint", name=path.name) from error
