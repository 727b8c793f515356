"""SAM's own prompt encoder and mask decoder, as a source of candidates: the reference."""

from typing import Protocol

import torch
from segment_anything.modeling import Sam

from samclr_core.regions.automatic.candidates import Candidate, cut_out
from samclr_core.regions.automatic.geometry import Frame


class PromptDecoder(Protocol):
    """Proposes masks for single-point prompts on one image."""

    # Prompts decoded at once.
    batch: int

    def set_image(self, embedding: torch.Tensor, frame: Frame) -> None:
        """Take an image's embedding [1, 256, 64, 64] and place in the model's square."""

    def decode(
        self, points: torch.Tensor, first: int, min_iou: float, below: float
    ) -> list[Candidate]:
        """Candidates of over ``min_iou`` for prompts [B, 2] in model pixels; safe in threads.

        ``first`` is the index of the first prompt; ``below`` the lower of the stability cuts.
        """


class ReferenceDecoder:
    """The modules of segment-anything, batched; under bfloat16 on a GPU."""

    def __init__(self, model: Sam) -> None:
        self.model = model
        self.cuda = model.device.type == "cuda"
        self.batch = 64 if self.cuda else 8

    def set_image(self, embedding: torch.Tensor, frame: Frame) -> None:
        self.embedding = embedding
        self.used = frame.full.logits_used

    @torch.inference_mode()
    def decode(
        self, points: torch.Tensor, first: int, min_iou: float, below: float
    ) -> list[Candidate]:
        logits, iou = self.predict(points)
        rows, columns = self.used
        logits, iou = logits[..., :rows, :columns].float().cpu(), iou.float().cpu()
        found = [
            cut_out(logits[prompt, mask], float(iou[prompt, mask]), first + prompt, below)
            for prompt, mask in (iou > min_iou).nonzero().tolist()
        ]
        return [candidate for candidate in found if candidate]

    @torch.inference_mode()
    def predict(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Three masks per prompt: logits [B, 3, 256, 256] and predicted IoU [B, 3]."""
        model = self.model
        coordinates = points.to(model.device)[:, None]
        labels = torch.ones(len(points), 1, dtype=torch.int, device=model.device)
        sparse, dense = model.prompt_encoder((coordinates, labels), boxes=None, masks=None)
        with torch.autocast("cuda", torch.bfloat16, enabled=self.cuda):
            return model.mask_decoder(
                image_embeddings=self.embedding,
                image_pe=model.prompt_encoder.get_dense_pe(),
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
                multimask_output=True,
            )
