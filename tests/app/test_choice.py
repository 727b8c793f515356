from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from ui.components.choice import select

    names = {"a": "Line", "b": "Line", "c": "Station", "d": "駅"}
    offered = st.session_state.setdefault("offered", ["a", "b", "c"])
    st.session_state["got"] = select("Image", offered, names.__getitem__, key="image", default="c")


def opened() -> AppTest:
    app = AppTest.from_function(page).run()
    assert not app.exception
    return app


def test_the_default_is_chosen_at_first_and_every_choice_after_it_counts() -> None:
    app = opened()
    assert app.session_state["got"] == "c"
    for index, option in ((0, "a"), (2, "c"), (0, "a")):
        app.selectbox[0].select_index(index).run()
        assert app.session_state["got"] == app.session_state["image"] == option


def test_two_of_one_name_can_be_told_apart() -> None:
    app = opened()
    assert app.selectbox[0].options == ["Line", "Line (2)", "Station"]
    app.selectbox[0].select_index(1).run()
    assert app.session_state["got"] == "b"


def test_what_is_chosen_stays_when_the_list_changes_as_long_as_it_is_there() -> None:
    app = opened()
    app.selectbox[0].select_index(1).run()
    app.session_state["offered"] = ["d", "b"]
    assert app.run().session_state["got"] == "b"
    assert app.selectbox[0].options == ["駅", "Line"]
    app.session_state["offered"] = ["d", "a"]
    assert app.run().session_state["got"] == "d"


def test_the_page_can_choose() -> None:
    app = opened()
    app.selectbox[0].select_index(1).run()
    app.session_state["image"] = "a"
    assert app.run().session_state["got"] == "a"
    assert app.selectbox[0].index == 0
