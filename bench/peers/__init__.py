"""The comparison with other load generators, and the C source of events behind it (docs/generators.md)."""
