"""What the services promise one another, on both buses."""
