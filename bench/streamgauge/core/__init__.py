"""The pure core: no I/O, no clock, no randomness of its own.

A run leaves observations (`observation`); everything that is measured or
checked is a fold over them. `assembly` puts the observations of one run
together, `contract` says what a run may look like, `checks` judges, `metrics`
measures, and `analysis` is the one fold that does all of it. The same code
runs live in every worker and again over a recording.
"""
