from collections.abc import Sequence

def gather(
    messages: Sequence[object], start: int, canary: bytes, max_bytes: int
) -> (
    tuple[
        str,  # user
        str,  # run
        str,  # thread
        str,  # agent
        str,  # clock
        int,  # seq
        int,  # offset
        bytes,  # forms
        bytes,  # sizes
        bytes,  # emitted
        tuple[str, ...],  # calls
        str,  # request
        bytes,  # context
        str,  # answer
        int,  # index
        int,  # accepted
        bytes,  # parts
        bytes,  # the parts' texts
    ]
    | None
): ...
