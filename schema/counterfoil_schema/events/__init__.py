"""Every event that the log can hold: versioned, frozen, upcast when read, never rewritten."""
