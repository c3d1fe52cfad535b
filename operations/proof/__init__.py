"""证据包 Proof packs: all that is on record of one ticket, chained, signed and printed (gain 11)."""
