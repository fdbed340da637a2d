"""What an item of news may bear on: questions and processes by the words that they share with it.

Each text is the set of its words, cut to their first six letters so that endings matter less, and
each word weighs by how few of the texts have it (inverse document frequency). The likeness is the
cosine of two such sets. It orders an inbox and proposes targets; it decides nothing.
"""

from collections import Counter
from collections.abc import Mapping
from math import log, sqrt

from forecasting.evidence.similar import words

#: Letters that are left of a word.
STEM = 6
#: Words shorter than this say little in any language that we met.
SHORTEST = 3
#: Below this two texts have nothing in common that would be worth a look.
LEAST = 0.06
#: Texts that are named, the most like first.
MOST = 5


def stems(text: str) -> frozenset[str]:
    """Give the cut words of a text; numbers say nothing of what it is about."""
    return frozenset(
        word[:STEM] for word in words(text) if len(word) >= SHORTEST and not word[0].isdigit()
    )


class Likeness:
    """Texts by name, to be compared with others."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = {name: stems(text) for name, text in texts.items()}
        have = Counter(stem for text_stems in self._texts.values() for stem in text_stems)
        n = len(self._texts)
        self._weight = {stem: log((1 + n) / (1 + k)) for stem, k in have.items()}
        self._size = {name: self._length(text_stems) for name, text_stems in self._texts.items()}
        self._where: dict[str, list[str]] = {}
        for name, text_stems in self._texts.items():
            for stem in text_stems:
                self._where.setdefault(stem, []).append(name)

    def rank(self, text: str) -> list[tuple[str, float]]:
        """Give what a text is most like, with the cosine from 0 to 1; nothing below `LEAST`."""
        mine = stems(text)
        length = self._length(mine)
        if not length:
            return []
        shared: dict[str, float] = {}
        for stem in mine:
            for name in self._where.get(stem, ()):
                shared[name] = shared.get(name, 0.0) + self._weight[stem] ** 2
        cosines = [
            (name, size / (length * self._size[name]))
            for name, size in shared.items()
            if self._size[name]
        ]
        near = [(name, like) for name, like in cosines if like >= LEAST]
        return sorted(near, key=lambda pair: (-pair[1], pair[0]))[:MOST]

    def _length(self, text_stems: frozenset[str]) -> float:
        # A word that no text has counts as one that a single text has.
        rare = log((1 + len(self._texts)) / 2)
        return sqrt(sum(self._weight.get(stem, rare) ** 2 for stem in text_stems))
