"""What a user can mend."""


class UsageProblem(Exception):
    """A usage or set-up error; the text says what, where, and what to do."""


def why_unread(error: OSError | UnicodeDecodeError) -> str:
    """Why a text file could not be read, without a number or the name that is said already."""
    return error.strerror or str(error) if isinstance(error, OSError) else f"it is no UTF-8: {error.reason}"
