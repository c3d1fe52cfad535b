"""Tokens, masks and digests."""
