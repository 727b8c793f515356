"""regions."""

from ui import shell

shell.heading("regions", "")
