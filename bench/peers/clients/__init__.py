"""The peers: one small load generator a file, all doing the same to the same source.

Each opens PEER_SOCKETS sockets at PEER_TARGET, waits for the greeting (which the
source holds back until all are open), then repeats on every socket: a request,
its ten events with the JSON of each parsed, the next request. PEER_SECONDS after
the greeting it ends, and prints one line: what it says of its own runs' times.
"""
