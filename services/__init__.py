"""The services, and nothing else."""
