"""The metrics: how long things took, how many there were, what share was whole."""
