"""The codes of news as they are written: what a form or a command offers before it codes."""

#: Codes from what slows most to what hastens most.
CODES = ("-2", "-1", "0", "+1", "+2")
#: The reason that a retraction of an item without weight is recorded with.
SET_ASIDE = "set aside: bears on nothing that is open"


def written(target: str, code: str) -> str:
    """Write an effect; a bare 0 on a delivery or an event would be read as a number of things.

    >>> written("convoy", "+1"), written("convoy", "0")
    ('convoy=+1', 'convoy=x1')
    """
    return f"{target}={'x1' if code == '0' else code}"
