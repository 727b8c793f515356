"""Pages on Streamlit's test bench."""

from streamlit.testing.v1 import AppTest

from samclr_core.workspace import REPOSITORY

SECONDS = 60


def opened(page: str, language: str = "en", workspace: str = "試験_1") -> AppTest:
    app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=SECONDS)
    app.query_params["lang"] = language
    app.query_params["workspace"] = workspace
    app.run()
    return app.switch_page(f"pages/{page}.py").run()


def shown(app: AppTest) -> str:
    kinds = (app.title, app.markdown, app.caption, app.info, app.warning, app.error, app.success)
    return "\n".join(str(element.value) for kind in kinds for element in kind)
