"""Which items of evidence are news that stands: read by listings that weigh nothing."""

from collections.abc import Iterable

from forecasting.domain.evidence import GRADES_STREAM, Evidence

#: The stream of what is added here.
NEWS = "news"
#: Streams that are tables of reference cases rather than news.
REFERENCE_STREAMS = ("agreements", "totals", "occurrences", "packages", "world")


def retracts(item: Evidence) -> bool:
    """Whether an item is a retraction."""
    return any(effect.name == "retracts" for effect in item.effects)


def retractions(items: Iterable[Evidence]) -> dict[str, Evidence]:
    """Give, by key, the entry that takes each retracted item back."""
    return {
        effect.target.removeprefix("evidence/"): item
        for item in items
        for effect in item.effects
        if effect.name == "retracts"
    }


def standing(items: Iterable[Evidence]) -> list[Evidence]:
    """Give the items that news can be like: no reference tables, gradings or retracted items."""
    items = tuple(items)
    gone = retractions(items)
    return [
        item
        for item in items
        if item.stream not in (*REFERENCE_STREAMS, GRADES_STREAM)
        and item.key not in gone
        and not retracts(item)
    ]
