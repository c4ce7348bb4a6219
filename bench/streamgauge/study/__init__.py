"""Experiments made of runs and their recordings."""
