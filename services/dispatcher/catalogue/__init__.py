"""派单目录 the catalogue: its drafts, its versions, and why a ticket went where it is."""
