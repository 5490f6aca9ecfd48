"""The limiter: one gate per realm, through which every call to QuickBooks passes."""

from counterfoil.dispatch.limiter.budget import ReadBudget
from counterfoil.dispatch.limiter.gate import GateRefusedError, GateSnapshot, Permit, RealmGate, Stamp
from counterfoil.dispatch.limiter.settings import CallKind, Lane, LimiterSettings

__all__ = [
    "CallKind",
    "GateRefusedError",
    "GateSnapshot",
    "Lane",
    "LimiterSettings",
    "Permit",
    "ReadBudget",
    "RealmGate",
    "Stamp",
]
