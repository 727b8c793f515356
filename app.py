"""The app: page list, language, current workspace. Nothing else."""

import streamlit as st

from ui import shell

st.set_page_config(page_title="SAMCLR Studio", page_icon=":material/join_inner:", layout="wide")
shell.settings_from_url()
page = st.navigation(shell.pages())
shell.sidebar()
with shell.one_clear_sentence():
    page.run()
