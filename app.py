"""The app: page list, language, current workspace. Nothing else."""

from ui import shell

page = shell.frame()
with shell.one_clear_sentence():
    page.run()
