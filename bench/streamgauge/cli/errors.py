"""What a user can mend."""


class UsageProblem(Exception):
    """A usage or set-up error; the text says what, where, and what to do."""
