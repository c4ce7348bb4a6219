"""Shells beside a run that talk to the target without Locust."""
