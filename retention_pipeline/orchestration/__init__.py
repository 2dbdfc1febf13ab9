"""Dagster only: assets, checks, jobs, schedules and sensors over the packages that do the work."""
