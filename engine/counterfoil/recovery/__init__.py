"""Recovery: proving that the state is what the log says."""

from counterfoil.recovery.check import CheckReport, Difference, check_company

__all__ = ["CheckReport", "Difference", "check_company"]
