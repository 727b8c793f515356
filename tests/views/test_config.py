"""Settings of the views that cannot be: said by name, in either language."""

import pytest

from samclr_core.messages import LANGUAGES, UserError
from samclr_core.views.config import ViewsConfig


@pytest.mark.parametrize(
    ("values", "key", "named"),
    [
        ({"scale": (0.5, 0.1)}, "core.setting_ascending", "scale"),
        ({"region_scale": (0.0, 1.0)}, "core.setting_ascending", "region_scale"),
        ({"scale": (0.5, 1.5)}, "core.setting_at_most", "1.5"),
        ({"min_area": 0.3, "max_area": 0.3}, "core.setting_above", "0.3"),
    ],
)
def test_a_setting_that_cannot_be_is_named(values, key, named):
    with pytest.raises(UserError) as error:
        ViewsConfig.of(values)
    assert error.value.key == key
    assert all(named in error.value.text(language) for language in LANGUAGES)
