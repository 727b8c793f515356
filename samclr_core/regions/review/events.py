"""The log of a review: events are appended and never changed, so nobody's word is ever lost.

The table lives in the workspace's database: several reviewers may write at once, and a crash loses
nothing that was said before it. Taking something back is an event as well.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Integer,
    MetaData,
    RowMapping,
    String,
    Table,
    select,
)
from sqlalchemy.schema import CreateIndex, CreateTable

from samclr_core.messages import UserError
from samclr_core.regions.region import Region
from samclr_core.workspace import Workspace

Kind = Literal["verdict", "keep", "drop", "merge", "add", "correct", "comment", "undo"]
CHANGES_REGIONS = ("keep", "drop", "merge", "add", "correct")
NAME_LETTERS = 80

METADATA = MetaData()
EVENTS = Table(
    "review_events",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("uid", String(32), unique=True, nullable=False),
    # Workspace.forget deletes rows by a column of this name.
    Column("image_id", String(32), index=True, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("who", String, nullable=False),
    Column("when", String(32), nullable=False),
    Column("segmenter", String(12), nullable=False),
    Column("undoes", String(32), nullable=False),
    Column("details", JSON, nullable=False),
    # A number is never given out again, also not when an image's events were deleted.
    sqlite_autoincrement=True,
)

# What it takes to say which events stand.
_PLACE = (EVENTS.c.number, EVENTS.c.uid, EVENTS.c.kind, EVENTS.c.when, EVENTS.c.undoes)


def now() -> str:
    """The time as an event carries it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class Event:
    """One thing that one person said about one image.

    Attributes:
        image_id: the image.
        kind: what was said.
        who: the reviewer's name.
        segmenter: digest of the settings whose regions were looked at; empty where there were none.
        regions: ids of the regions it is about; those that ``region`` replaces.
        region: the mask that a person made, for ``add``, ``correct`` and ``merge``.
        text: ``good``, ``usable`` or ``bad`` for a ``verdict``; the words of a ``comment``.
        undoes: uid of the event that an ``undo`` takes back.
        when: UTC, ISO 8601.
        uid: its name in every workspace it is copied to.
        number: its place in this workspace's log; 0 before it was appended.
    """

    image_id: str
    kind: Kind
    who: str
    segmenter: str = ""
    regions: tuple[str, ...] = ()
    region: Region | None = None
    text: str = ""
    undoes: str = ""
    when: str = field(default_factory=now)
    uid: str = field(default_factory=lambda: uuid4().hex)
    number: int = 0

    def to_json(self) -> dict[str, Any]:
        """Everything but the number, as plain values that ``json`` can write."""
        return {name: value for name, value in asdict(self).items() if name != "number"}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Event":
        """The event that :meth:`to_json` was called on, not yet in a log."""
        region = values.get("region")
        made = Region.from_json(region) if region else None
        return cls(**{**values, "regions": tuple(values.get("regions", ())), "region": made})


def append(workspace: Workspace, events: Sequence[Event]) -> list[Event]:
    """Add ``events`` to the log, all or none; those that it has already are passed over.

    Returns:
        Those that were added, with their numbers.

    Raises:
        UserError: an event says nobody's name.
    """
    for event in events:
        checked_name(event.who)
    with _connection(workspace) as connection:
        added = [_inserted(connection, event) for event in events]
        return [event for event in added if event]


def checked_name(who: str) -> str:
    """A reviewer's name without blanks around it.

    Raises:
        UserError: it is empty or too long.
    """
    name = who.strip()
    if not name or len(name) > NAME_LETTERS:
        raise UserError("review.no_name", most=NAME_LETTERS)
    return name


def events(
    workspace: Workspace, image_id: str | None = None, until: int | None = None
) -> list[Event]:
    """What was said, in the order of time, without what was taken back.

    Args:
        workspace: whose log.
        image_id: about one image only.
        until: what the log held when its last number was this one.
    """
    return [_event(row) for row in _standing(_rows(workspace, EVENTS.c, image_id, until))]


def everything(workspace: Workspace) -> list[Event]:
    """All events in the order they were appended, with those taken back and the ``undo``s."""
    return [_event(row) for row in _rows(workspace, EVENTS.c)]


def undo(workspace: Workspace, who: str, image_id: str | None = None) -> Event | None:
    """Take back the last thing that ``who`` said and that still stands.

    What was said in one moment, as the regions of one file are, is one thing.

    Args:
        workspace: whose log.
        who: only their own words.
        image_id: about one image only.

    Returns:
        What was taken back, the last event of it; None where there is nothing left.
    """
    who = checked_name(who)
    rows = _standing(_rows(workspace, EVENTS.c, image_id, who=who))
    if not rows:
        return None
    last = max(rows, key=lambda row: row["number"])
    taken = [_event(row) for row in rows if row["when"] == last["when"]]
    append(workspace, [Event(e.image_id, "undo", who, e.segmenter, undoes=e.uid) for e in taken])
    return _event(last)


def judged(workspace: Workspace, segmenter: str, who: str) -> set[str]:
    """The images whose regions, made with the settings of that digest, ``who`` gave a verdict."""
    names = (*_PLACE, EVENTS.c.image_id, EVENTS.c.segmenter)
    rows = _standing(_rows(workspace, names, who=who))
    return {
        row["image_id"]
        for row in rows
        if row["kind"] == "verdict" and row["segmenter"] == segmenter
    }


def last_change(workspace: Workspace) -> int:
    """The number of the newest event that changed regions; 0 where none of them stands.

    :func:`events` until this number gives the same regions for ever.
    """
    rows = _rows(workspace, _PLACE)
    made = {row["uid"] for row in rows if row["kind"] in CHANGES_REGIONS}
    if not made - {row["undoes"] for row in rows}:
        return 0
    return max(row["number"] for row in rows if {row["uid"], row["undoes"]} & made)


@contextmanager
def _connection(workspace: Workspace) -> Iterator[Connection]:
    """One transaction on the workspace's database, with the table there."""
    with workspace.engine.begin() as connection:
        # Two reviewers may be the first at the same time, which create_all does not expect.
        connection.execute(CreateTable(EVENTS, if_not_exists=True))
        for index in EVENTS.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))
        yield connection


def _rows(
    workspace: Workspace,
    columns: Iterable[Column],
    image_id: str | None = None,
    until: int | None = None,
    who: str | None = None,
) -> list[RowMapping]:
    asked = select(*columns).order_by(EVENTS.c.number)
    if image_id is not None:
        asked = asked.where(EVENTS.c.image_id == image_id)
    if until is not None:
        asked = asked.where(EVENTS.c.number <= until)
    if who is not None:
        asked = asked.where(EVENTS.c.who == who)
    with _connection(workspace) as connection:
        return list(connection.execute(asked).mappings())


def _standing(rows: list[RowMapping]) -> list[RowMapping]:
    undone = {row["undoes"] for row in rows}
    said = [row for row in rows if row["kind"] != "undo" and row["uid"] not in undone]
    # Events that came from another workspace have later numbers than their time would give them.
    return sorted(said, key=lambda row: (row["when"], row["number"]))


def _inserted(connection: Connection, event: Event) -> Event | None:
    if connection.scalar(select(EVENTS.c.number).where(EVENTS.c.uid == event.uid)):
        return None
    values = event.to_json() | {"who": checked_name(event.who)}
    details = {name: values.pop(name) for name in ("regions", "region", "text")}
    done = connection.execute(EVENTS.insert().values(**values, details=details))
    assert done.inserted_primary_key
    return replace(event, number=done.inserted_primary_key[0])


def _event(row: RowMapping) -> Event:
    values = {name: value for name, value in row.items() if name not in ("number", "details")}
    return replace(Event.from_json({**values, **row["details"]}), number=row["number"])
