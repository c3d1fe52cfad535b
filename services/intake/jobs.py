"""Intake's third door, time: none, because nothing at intake waits for a moment to come."""

from shared.service import Job

JOBS: dict[str, Job] = {}
