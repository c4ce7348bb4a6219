"""Texts of a wanted size, and their division into deltas."""

from itertools import pairwise

FILLER = "and then it measured the stream again, from the first event to the last; "


def padded(text: str, size: int) -> str:
    """Lengthen `text` with a fixed ASCII filler to `size` bytes of UTF-8; never shortened."""
    missing = size - len(text.encode())
    if missing <= 0:
        return text
    return text + (FILLER * (missing // len(FILLER) + 1))[:missing]


def divided(text: str, parts: int) -> list[str]:
    """Cut `text` into exactly `parts` non-empty pieces of nearly equal length; lengthened if too short."""
    text = padded(text, len(text.encode()) + max(0, parts - len(text)))
    cuts = [len(text) * part // parts for part in range(parts + 1)]
    return [text[start:end] for start, end in pairwise(cuts)]
