"""training."""

from ui import shell

shell.heading("training", "")
