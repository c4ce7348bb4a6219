"""How users of other load generators test such a stream: scripts as their documentation teaches them.

Each has ten users ask again and again for some seconds, and checks of every run that it
ended in time and that each of the five kinds of events came. PEER_TARGET, PEER_USERS (a
file: a user and its token a line, with a comma between) and PEER_SECONDS say how.
"""
