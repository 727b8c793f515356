"""evaluation."""

from ui import shell

shell.heading("evaluation", "")
