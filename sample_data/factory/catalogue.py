"""The classes of the sample factory: id, name, Japanese name and kind."""

from dataclasses import asdict, dataclass

VOID = 255


@dataclass(frozen=True)
class FactoryClass:
    """One class of the label map. `kind` is "stuff", "thing" or "product"."""

    id: int
    name: str
    name_ja: str
    kind: str


CLASSES = tuple(
    FactoryClass(number, *entry)
    for number, entry in enumerate(
        [
            ("floor", "床", "stuff"),
            ("marking", "区画線", "stuff"),
            ("wall", "壁", "stuff"),
            ("pillar", "柱", "stuff"),
            ("pipe", "配管", "stuff"),
            ("conveyor", "コンベヤ", "stuff"),
            ("machine", "機械", "thing"),
            ("robot", "ロボット", "thing"),
            ("person", "人", "thing"),
            ("crate", "コンテナ", "thing"),
            ("pallet", "パレット", "thing"),
            ("lamp", "照明", "thing"),
            ("gear", "歯車", "product"),
            ("bearing", "軸受", "product"),
            ("hex_bolt", "六角ボルト", "product"),
            ("socket_bolt", "六角穴付きボルト", "product"),
            ("brake_disc", "ブレーキディスク", "product"),
            ("drilled_brake_disc", "穴あきブレーキディスク", "product"),
            ("pump_housing", "ポンプケーシング", "product"),
            ("bottle", "ボトル", "product"),
            ("can", "缶", "product"),
            ("circuit_board", "回路基板", "product"),
            ("valve", "バルブ", "product"),
            ("spring", "ばね", "product"),
        ]
    )
)
BY_NAME = {entry.name: entry for entry in CLASSES}
PRODUCTS = tuple(entry.name for entry in CLASSES if entry.kind == "product")


def as_json() -> dict:
    """Return what `classes.json` holds."""
    return {"classes": [asdict(entry) for entry in CLASSES], "void": VOID}
