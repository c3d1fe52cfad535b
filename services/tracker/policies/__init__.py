"""时限规则 The time limits and supervision as versions: drafted, simulated, published by a second person."""
