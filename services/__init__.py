"""The services, and what runs them."""
