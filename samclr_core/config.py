"""The base of every station's settings: frozen, checked, and hashed into a cache key."""

import hashlib
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from samclr_core.messages import UserError


class Config(BaseModel):
    """Frozen settings of one station; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Self:
        """The settings with ``values`` over the defaults.

        Raises:
            UserError: an unknown key or a value out of its range; the first one is named.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise _as_user_error(error, tuple(cls.model_fields)) from error

    def digest(self) -> str:
        """12 hex digits that change when, and only when, a setting changes."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


C = TypeVar("C", bound=Config)


def with_changes(
    presets: Mapping[str, C], name: str, changes: Mapping[str, Any] | None = None
) -> C:
    """The preset ``name`` with ``changes`` over it; ``views.size`` names a setting of a group.

    Raises:
        UserError: there is no such preset or setting, or a value is out of its range.
    """
    if name not in presets:
        raise UserError("core.unknown_preset", name=name, known=", ".join(presets))
    values = presets[name].model_dump()
    for key, value in (changes or {}).items():
        group, _, leaf = key.rpartition(".")
        _group(values, group, key)[leaf] = value
    return type(presets[name]).of(values)


def _group(values: dict[str, Any], name: str, key: str) -> dict[str, Any]:
    found = values if not name else values.get(name)
    if not isinstance(found, dict):
        raise UserError("core.unknown_setting", name=key, known=", ".join(values))
    return found


# What pydantic calls a mistake: our sentence for it, and where its limit stands, if it has one.
_SENTENCES = {
    "greater_than_equal": ("at_least", "ge"),
    "greater_than": ("above", "gt"),
    "less_than_equal": ("at_most", "le"),
    "less_than": ("below", "lt"),
    "literal_error": ("one_of", "expected"),
    "int_type": ("whole_number", ""),
    "int_parsing": ("whole_number", ""),
    "int_from_float": ("whole_number", ""),
    "float_type": ("number", ""),
    "float_parsing": ("number", ""),
    "not_ascending": ("ascending", ""),
    "not_above": ("above", "limit"),
    "only_dino": ("only_dino", ""),
    "too_many": ("at_most", "limit"),
}


def _as_user_error(error: ValidationError, known: tuple[str, ...]) -> UserError:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return UserError("core.unknown_setting", name=name, known=", ".join(known))
    values = {"name": name, "value": first["input"]}
    sentence, limit = _SENTENCES.get(first["type"], ("", ""))
    if not sentence:
        return UserError("core.bad_setting", **values, reason=first["msg"])
    if limit:
        # The choices come as "'a', 'b' or 'c'", which is English.
        values["limit"] = str(first["ctx"][limit]).replace(" or ", ", ")
    return UserError(f"core.setting_{sentence}", **values)
