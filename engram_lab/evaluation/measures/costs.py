"""What a system costs: values of a system, not of a query, so no measures of a ranking.

Times are wall-clock times of one machine at one moment: they are told beside a run and take no part
in what makes two runs equal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from engram_lab.core.errors import InvalidInputError, shown

__all__ = ["Costs", "bytes_per_memory", "costs_of", "quantile", "readable_after"]

_MS_PER_S = 1000.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Costs:
    """What a system costs; None is what was not measured.

    Attributes:
        latency_p50_ms: Half of the queries were answered within this time, in milliseconds.
        latency_p95_ms: 95 of 100 were.
        latency_p99_ms: 99 of 100 were.
        write_to_readable_ms: From the beginning of a write until a search shows it; the median.
        bytes_per_memory: All files of the store, by the number of memories that it holds.
    """

    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    latency_p99_ms: float | None = None
    write_to_readable_ms: float | None = None
    bytes_per_memory: float | None = None

    def known(self) -> dict[str, float]:
        """Return what was measured, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def quantile(seconds: Sequence[float], share: float) -> float:
    """Return the least observed time within which at least this share of all lies.

    It is a time that was observed, never one between two: the value at place ceil(share * n) of the
    n times in order, from 1. Of fewer than 100 times the 99th percentile is the longest.

    Source: Hyndman and Fan, Sample Quantiles in Statistical Packages (1996), definition 1.

    Args:
        seconds: Times, in any order.
        share: Above 0, at most 1.

    Returns:
        Seconds; NaN where there are none.

    Raises:
        InvalidInputError: The share is no share, or a time is negative or not finite.
    """
    if not 0 < share <= 1:
        raise InvalidInputError(f"the share is {shown(share)}: it must be above 0 and at most 1")
    if wrong := [each for each in seconds if not (math.isfinite(each) and each >= 0)]:
        raise InvalidInputError(f"a time is {shown(wrong[0])}: it must be a number from 0")
    if not seconds:
        return math.nan
    # The product may exceed the whole number that it stands for by a rounding error: 0.95 * 20.
    place = math.ceil(round(share * len(seconds), 9))
    return sorted(seconds)[max(place, 1) - 1]


def readable_after(lags: Sequence[float]) -> float:
    """Return the median time, in seconds, from the beginning of a write until a search shows it.

    Args:
        lags: Of single writes, in seconds; NaN for one that was never shown, which is later than
            all others.

    Returns:
        Seconds; NaN where half of them or more were never shown, or none was tried.
    """
    placed = sorted(math.inf if math.isnan(lag) else lag for lag in lags)
    if not placed:
        return math.nan
    median = placed[(len(placed) - 1) // 2]
    return median if math.isfinite(median) else math.nan


def bytes_per_memory(size: int, memories: int) -> float:
    """Return how many bytes one memory takes on average; NaN where there is none.

    Args:
        size: Of all files of a store, indexes among them, in bytes.
        memories: How many it holds.
    """
    return size / memories if memories else math.nan


def costs_of(
    seconds: Sequence[float],
    *,
    lags: Sequence[float] = (),
    size: int | None = None,
    memories: int = 0,
) -> dict[str, float]:
    """Return the costs of a system by name, as `results.json` holds them; see `Costs`.

    Args:
        seconds: How long each query took.
        lags: See `readable_after`.
        size: See `bytes_per_memory`.
        memories: Likewise.
    """
    p50, p95, p99 = (quantile(seconds, share) * _MS_PER_S for share in (0.50, 0.95, 0.99))
    return Costs(
        latency_p50_ms=p50 if seconds else None,
        latency_p95_ms=p95 if seconds else None,
        latency_p99_ms=p99 if seconds else None,
        write_to_readable_ms=readable_after(lags) * _MS_PER_S if lags else None,
        bytes_per_memory=None if size is None else bytes_per_memory(size, memories),
    ).known()
