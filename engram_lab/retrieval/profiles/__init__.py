"""Profiles: how the order of hits is made for conversations, and for everything else."""

from engram_lab.retrieval.profiles.by_hand import BY_HAND
from engram_lab.retrieval.profiles.choosing import NEUTRAL, ChosenProfile, Profiles
from engram_lab.retrieval.profiles.shipped import SHIPPED_FILE, shipped_record

__all__ = ["BY_HAND", "NEUTRAL", "SHIPPED_FILE", "ChosenProfile", "Profiles", "shipped_record"]
