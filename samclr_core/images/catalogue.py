"""What images a workspace has: one row each, in the order they came in."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    MetaData,
    RowMapping,
    String,
    Table,
    select,
)

from samclr_core.messages import UserError
from samclr_core.workspace import Workspace

METADATA = MetaData()
IMAGES = Table(
    "images",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(32), unique=True, nullable=False),
    Column("name", String, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("label", String),
    Column("group", String, nullable=False),
    Column("has_label_map", Boolean, nullable=False),
)


@dataclass(frozen=True)
class ImageRecord:
    """One image of a workspace.

    Attributes:
        id: 32 hex digits of the SHA-256 of its pixels, so equal pictures are one image.
        name: the path it had in its folder, zip or upload.
        width: in pixels, upright.
        height: in pixels, upright.
        label: its class, where one is known.
        group: the folder, zip or upload it came with.
        has_label_map: whether ground truth per pixel is known.
    """

    id: str
    name: str
    width: int
    height: int
    label: str | None
    group: str
    has_label_map: bool


def records(workspace: Workspace) -> list[ImageRecord]:
    """All images, in the order they came in."""
    with _connection(workspace) as connection:
        rows = connection.execute(select(IMAGES).order_by(IMAGES.c.number))
        return [_record(row) for row in rows.mappings()]


def find(workspace: Workspace, image_id: str) -> ImageRecord | None:
    """The image of that id, or None."""
    with _connection(workspace) as connection:
        row = connection.execute(select(IMAGES).where(IMAGES.c.id == image_id)).mappings().first()
        return _record(row) if row else None


def record(workspace: Workspace, image_id: str) -> ImageRecord:
    """The image of that id.

    Raises:
        UserError: the workspace has no such image.
    """
    found = find(workspace, image_id)
    if not found:
        raise UserError("images.unknown_id", id=image_id)
    return found


def put(workspace: Workspace, image: ImageRecord) -> None:
    """Add ``image``, or overwrite what is known of the image with its id."""
    with _connection(workspace) as connection:
        changed = connection.execute(
            IMAGES.update().where(IMAGES.c.id == image.id).values(**asdict(image))
        )
        if not changed.rowcount:
            connection.execute(IMAGES.insert().values(**asdict(image)))


def drop(workspace: Workspace, image_ids: Iterable[str]) -> None:
    """Forget the images of these ids."""
    with _connection(workspace) as connection:
        connection.execute(IMAGES.delete().where(IMAGES.c.id.in_(list(image_ids))))


def _connection(workspace: Workspace) -> AbstractContextManager[Connection]:
    """One transaction on the workspace's database, with the table there."""
    METADATA.create_all(workspace.engine)
    return workspace.engine.begin()


def _record(row: RowMapping) -> ImageRecord:
    return ImageRecord(**{field.name: row[field.name] for field in fields(ImageRecord)})
