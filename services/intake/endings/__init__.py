"""直接办结 what the hotline does with a ticket itself."""
