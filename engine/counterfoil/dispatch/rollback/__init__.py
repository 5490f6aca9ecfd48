"""Rollbacks at work: what a scope covers, loaded from log and rows; requests taken up; compensations made ready."""
