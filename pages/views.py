"""views."""

from ui import shell

shell.heading("views", "")
