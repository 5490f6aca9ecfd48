"""Plans that nobody carries out: what mappings make of what the log holds, page by page; reads log and rows alone."""
