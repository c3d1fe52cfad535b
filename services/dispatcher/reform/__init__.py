"""机构改革 reforms: units merged, renamed and split, and what they had that goes on."""
