"""Number the sentences of a text, the same way for everybody who has the file.

The rule: each non-empty line is one block; within a block a sentence ends at ``.``, ``!`` or ``?``
(with closing quotes or brackets) that is followed by white space and an opening quote, a
capital letter or a digit, except after an initial such as ``U.S.``. Sentences count from 1 through
the file.
"""

import re

_END = re.compile(r"(?<=[.!?])[\"”’')\]]*\s+(?=[\"“‘'(\[]*[A-Z0-9])")
_INITIALS = re.compile(r"(?:\b[A-Z]\.)+$")


def sentences(text: str) -> list[str]:
    r"""Split a text into its sentences, in order.

    Examples
    --------
    >>> sentences("One. Two? The U.S. Senate “met.” It rose.\n\nA line")
    ['One.', 'Two?', 'The U.S. Senate “met.”', 'It rose.', 'A line']
    """
    parts: list[str] = []
    for block in (line.strip() for line in text.splitlines()):
        if not block:
            continue
        start = 0
        for gap in _END.finditer(block):
            head = block[start : gap.start()]
            closers = gap.group().rstrip()
            if not closers and _INITIALS.search(head):
                continue
            parts.append(head + closers)
            start = gap.end()
        parts.append(block[start:])
    return parts
