"""What was used, counted once each."""

from engram_lab.serve.metering.meter import Meter
from engram_lab.serve.metering.spool import Batch, Spool
from engram_lab.serve.metering.totals import Stored, Totals

__all__ = ["Batch", "Meter", "Spool", "Stored", "Totals"]
