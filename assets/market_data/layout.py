"""What a folder of files says about itself: `bars.toml`.

Without one, files are Parquet, `<SYMBOL>_1h.parquet`, with the columns `ts`
(the bar's open, UTC), `open`, `high`, `low`, `close`, `volume`. Everything else
is declared, for the folder or for one symbol; nothing is guessed from the data.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

LAYOUT_FILE = "bars.toml"
COLUMNS = ("ts", "open", "high", "low", "close", "volume")


class LayoutError(ValueError):
    """`bars.toml` cannot be read; says which entry."""


class FileLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one symbol's file is read.

    Attributes:
        columns: ours (`ts`, `open`, ...) to the file's; those not named are the same.
        time_format: of stamps that are text, as of strptime; None: ISO 8601.
        time_zone: of stamps that do not say theirs; None: such stamps are refused.
        stamp: what `ts` means.
        skip_lines: lines of a CSV above its header.
        downloaded_at: bars not closed by then were running, UTC; None: not known.
        calendar: None: guessed from the symbol.
        alias: what the file's column `symbol` says, where it has one; None: the symbol.
        currency: of its prices; None: not known.
        tick_size: smallest step of its price; None: not known.
    """

    columns: dict[Literal["ts", "open", "high", "low", "close", "volume"], str] = {}
    time_format: str | None = None
    time_zone: str | None = None
    stamp: Literal["open", "close"] = "open"
    skip_lines: Annotated[int, Meta(ge=0, le=100)] = 0
    downloaded_at: str | None = None
    calendar: str | None = None
    alias: str | None = None
    currency: str | None = None
    tick_size: Annotated[float, Meta(gt=0)] | None = None

    def __post_init__(self) -> None:
        if self.time_zone is not None:
            try:
                ZoneInfo(self.time_zone)
            except (ZoneInfoNotFoundError, ValueError):
                raise ValueError(f"time_zone {self.time_zone!r} is not known") from None

    def column(self, ours: str) -> str:
        """The file's name of a column of ours."""
        return next((theirs for name, theirs in self.columns.items() if name == ours), ours)


class FolderLayout(FileLayout, frozen=True, forbid_unknown_fields=True):
    """How a folder is read.

    Attributes:
        suffix: what follows the symbol in a file's name; `.csv` is read as CSV.
        symbols: what is different for one of them.
    """

    suffix: str = "_1h.parquet"
    symbols: dict[str, FileLayout] = {}

    def of(self, symbol: str) -> FileLayout:
        """The layout of one symbol's file."""
        general = {name: getattr(self, name) for name in FileLayout.__struct_fields__}
        own = self.symbols.get(symbol)
        special = {} if own is None else msgspec.to_builtins(own)
        defaults = msgspec.to_builtins(FileLayout())
        return FileLayout(**general | {k: v for k, v in special.items() if v != defaults[k]})


def read_layout(folder: Path) -> FolderLayout:
    """The layout of a folder.

    Raises:
        LayoutError: its `bars.toml` is no TOML, or has a wrong or unknown entry.
    """
    path = folder / LAYOUT_FILE
    if not path.exists():
        return FolderLayout()
    try:
        return msgspec.convert(tomllib.loads(path.read_text()), FolderLayout)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LayoutError(f"{path}: {error}; see docs/operations/market-data.md") from error
