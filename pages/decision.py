"""decision."""

from ui import shell

shell.heading("decision", "")
