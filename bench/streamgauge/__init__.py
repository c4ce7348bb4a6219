"""The instrument: load, latency and correctness benchmarks for AI-agent event streams."""
