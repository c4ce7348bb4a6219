"""A reference server that streams what AI agents do over WebSockets, for benchmarks to measure and to judge.

`python -m reference_server --help` starts it. The way of one event through the files:

    agent -> core, tools -> bridge -> session -> outbox -> connection -> channel -> socket
"""
