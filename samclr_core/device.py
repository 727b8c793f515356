"""Where networks run."""


def device_of(name: str = "auto") -> str:
    """``cuda`` or ``cpu``: the one that is named, or by ``auto`` a GPU where there is one."""
    if name != "auto":
        return name
    # Pages and readers of results stay quick without it.
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
