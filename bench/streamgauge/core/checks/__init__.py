"""The checks: what a run, a session and a message may be.

One file a concern; each is a pure function over what arrived. `judge` puts the
rules of one run together ("one cause, one finding"), `fold` counts and merges.
"""
