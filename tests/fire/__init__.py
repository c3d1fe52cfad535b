"""Under fire: every service a process of its own, and everything around them dies now and then."""
