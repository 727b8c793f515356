"""The settings of tuning. No torch in here, so that pages and readers stay quick."""

from pydantic import Field

from samclr_core.config import Config

LEAST_IMAGES = 10


class TuningConfig(Config):
    """How the mask decoder is tuned.

    Attributes:
        model: where it starts: a model's name, a tuned model's name, or the path of a checkpoint.
        images: at most so many of the images with masks are used, drawn by ``seed``.
        validation: share of the images that says when to stop and how far to go.
        test: share of the images that before and after are measured on, used for nothing else.
        epochs: at most so many rounds through the training images.
        patience: stop after so many rounds without a better validation score.
        images_per_step: images whose prompts make one step of the optimizer.
        prompts_per_image: segments drawn of an image at every visit.
        boxes: share of the visits with box prompts.
        clicks: share of the visits with several clicks; the rest has a single point.
        tokens: of the 4096 image tokens so many are drawn for the loss of a prompt.
        learning_rate: of AdamW, after the warm-up; it falls to zero as a cosine.
        weight_decay: of AdamW.
        warmup: share of the steps in which the learning rate rises.
        max_grad_norm: gradients are clipped to this norm.
        averaging: the weights kept are the moving average of every step's, with this decay at
            most; it is shorter in the first steps.
        points_per_side: of the grid by which automatic regions are made to be compared; as in the
            preset ``draft``, whose regions may be there already.
        seed: of the split, the prompts and the order.
    """

    model: str = "mobile_sam"
    images: int = Field(default=50, ge=LEAST_IMAGES, le=1000)
    validation: float = Field(default=0.2, gt=0, le=0.4)
    test: float = Field(default=0.3, gt=0, le=0.5)
    epochs: int = Field(default=10, ge=1, le=200)
    patience: int = Field(default=8, ge=1)
    images_per_step: int = Field(default=1, ge=1, le=64)
    prompts_per_image: int = Field(default=8, ge=1, le=64)
    boxes: float = Field(default=0.2, ge=0, le=1)
    clicks: float = Field(default=0.2, ge=0, le=1)
    tokens: int = Field(default=1024, ge=16, le=4096)
    learning_rate: float = Field(default=1e-4, gt=0, le=0.1)
    weight_decay: float = Field(default=0.01, ge=0, le=1)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    max_grad_norm: float = Field(default=1.0, gt=0)
    averaging: float = Field(default=0.95, ge=0, lt=1)
    points_per_side: int = Field(default=12, ge=1, le=64)
    seed: int = Field(default=0, ge=0, lt=2**31)
