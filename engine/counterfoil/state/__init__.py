"""State derived from the log: pure folds over rows, and the stores that keep the rows."""
