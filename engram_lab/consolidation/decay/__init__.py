"""How memories fade: laws of decay, their fits, and what they forecast."""

from engram_lab.consolidation.decay.act_r import ActR
from engram_lab.consolidation.decay.ebbinghaus import Ebbinghaus
from engram_lab.consolidation.decay.exponential import Exponential
from engram_lab.consolidation.decay.fitting import Fit, fitted, log_likelihood, log_loss
from engram_lab.consolidation.decay.power import Power
from engram_lab.consolidation.decay.protocol import Law, Uses, forecast
from engram_lab.consolidation.decay.registry import LAWS, law_of
from engram_lab.consolidation.decay.traces import Gaps, Traces, simulated

__all__ = [
    "LAWS",
    "ActR",
    "Ebbinghaus",
    "Exponential",
    "Fit",
    "Gaps",
    "Law",
    "Power",
    "Traces",
    "Uses",
    "fitted",
    "forecast",
    "law_of",
    "log_likelihood",
    "log_loss",
    "simulated",
]
