"""工作清单: what waits for the front of the hotline (ADR 0052)."""
