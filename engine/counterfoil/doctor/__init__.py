"""Is this deployment fit for real books? Ten points, each judged by evidence."""

from counterfoil.doctor.evidence import Evidence
from counterfoil.doctor.judging import Finding, Verdict, judge

__all__ = ["Evidence", "Finding", "Verdict", "judge"]
