"""Where networks run."""


def device_of(name: str = "auto") -> str:
    """``cuda`` or ``cpu``: the one that is named, or by ``auto`` a GPU where there is one."""
    # Readers of settings name devices, too, and have no use for torch.
    import torch

    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"
