"""Which services there are, and what runs them."""
