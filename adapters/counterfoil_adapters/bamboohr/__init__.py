"""BambooHR as a source: employees and approved time."""
