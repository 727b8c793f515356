"""SAM's own prompt encoder and mask decoder, as a source of candidates: the reference."""

from typing import Protocol

import torch
from segment_anything.modeling import Sam

from samclr_core.regions.automatic.candidates import Sketch
from samclr_core.regions.automatic.geometry import Frame, by_token

# Of the 4 x 4 logits of a token, the one that stands for it in an outline.
OUTLINE = (2, 2)


class PromptDecoder(Protocol):
    """Proposes masks for single-point prompts on one image."""

    def set_image(self, embedding: torch.Tensor, frame: Frame) -> None:
        """Take an image's embedding [1, 256, 64, 64] and place in the model's square."""

    def batches(self, points: torch.Tensor) -> list[torch.Tensor]:
        """Which of the prompts [N, 2] in model pixels are decoded together, as indices."""

    def decode(self, points: torch.Tensor, prompts: torch.Tensor, min_iou: float) -> list[Sketch]:
        """Sketches of over ``min_iou`` for a batch of prompts [B, 2]; safe in threads.

        ``prompts`` are their numbers, [B].
        """


class ReferenceDecoder:
    """The modules of segment-anything, batched; under bfloat16 on a GPU."""

    def __init__(self, model: Sam) -> None:
        self.model = model
        self.cuda = model.device.type == "cuda"
        self.batch = 64 if self.cuda else 8

    def set_image(self, embedding: torch.Tensor, frame: Frame) -> None:
        self.embedding = embedding
        self.rows, self.columns = frame.tokens_used

    def batches(self, points: torch.Tensor) -> list[torch.Tensor]:
        return list(torch.arange(len(points)).split(self.batch))

    @torch.inference_mode()
    def decode(self, points: torch.Tensor, prompts: torch.Tensor, min_iou: float) -> list[Sketch]:
        logits, iou = self.predict(points)
        good = (iou > min_iou).nonzero().cpu()
        blocks = by_token(logits[good[:, 0], good[:, 1]].float().cpu())
        scores = iou[good[:, 0], good[:, 1]].tolist()
        return [
            Sketch(
                blocks[number, : self.rows, : self.columns, *OUTLINE],
                scores[number],
                int(prompts[prompt]),
                (float(points[prompt, 0]), float(points[prompt, 1])),
                blocks[number].flatten(0, 1).__getitem__,
            )
            for number, prompt in enumerate(good[:, 0].tolist())
        ]

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
