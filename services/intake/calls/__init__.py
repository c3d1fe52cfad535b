"""来电 calls of the telephone exchange: who rings, what was noted, whom to ring back."""
