"""承诺办结: days that units promise, kept, moved or broken (R-19, gain 7, ADR 0069)."""
