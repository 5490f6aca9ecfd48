"""Redrives: what the log holds, planned once more under another mapping, exactly as a person was shown it."""
