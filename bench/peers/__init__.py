"""The comparison with other load generators, and the source of events that it is made with (docs/generators.md)."""
