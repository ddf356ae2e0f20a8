"""In and out: whole stores as Parquet, JSON Lines or JSON, memories from any kind of rows."""

from engram_lab.core.interchange.exporting import FORMATS, Format, export_store
from engram_lab.core.interchange.frames import Frames
from engram_lab.core.interchange.importing import import_file
from engram_lab.core.interchange.live import LiveDuckDB
from engram_lab.core.interchange.rows import iter_rows, rows_in

__all__ = [
    "FORMATS",
    "Format",
    "Frames",
    "LiveDuckDB",
    "export_store",
    "import_file",
    "iter_rows",
    "rows_in",
]
