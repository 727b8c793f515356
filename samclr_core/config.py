"""The base of every station's settings: frozen, checked, and hashed into a cache key."""

import hashlib
from collections.abc import Mapping
from typing import Self

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


def _as_user_error(error: ValidationError, known: tuple[str, ...]) -> UserError:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return UserError("core.unknown_setting", name=name, known=", ".join(known))
    return UserError("core.bad_setting", name=name, value=first["input"], reason=first["msg"])
