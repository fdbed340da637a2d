"""The part of the book that deals with the world: news coded and taken back, processes, views."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from forecasting import clock
from forecasting.app.tidy import Door

if TYPE_CHECKING:
    from forecasting.app.news.code import Target
    from forecasting.review.data import WorldPage


def _silent(step: str) -> None:
    """Tell nobody."""


class World[Table](Door[Table]):
    """News and what it may act on, the processes and links, the worldviews and the sources."""

    def inbox(self) -> list[dict[str, Any]]:
        """Give the news that nobody has coded, what is most like the open questions first."""
        from forecasting.app.news.code import inbox

        return inbox(self.ledger, now=clock.now())

    def news_item(self, name: str) -> dict[str, Any]:
        """Give an item whole, with what it may act on and what may tell the same story."""
        from forecasting.app.news import shown
        from forecasting.app.news.code import proposed

        now = clock.now()
        return shown.show(self.ledger, name, now=now) | proposed(self.ledger, name, now=now)

    def titles(self) -> dict[str, str]:
        """Give what each question, ladder and process is called, by its id."""
        from forecasting.app.catalog import Catalog
        from forecasting.app.upkeep.banks import bank_of

        processes = bank_of(self.ledger).world.processes
        questions = Catalog.of(self.ledger).questions.values()
        return (
            {name: process.title or name for name, process in processes.items()}
            | {one.ladder: one.whole_title for one in questions if one.ladder}
            | {one.id: one.title for one in questions}
        )

    def news_targets(self) -> "list[Target]":
        """Give everything that a report may act on."""
        from forecasting.app.news.code import targets

        return targets(self.ledger, clock.now())

    def code_news(self, name: str, on: Sequence[str], **more: Any) -> dict[str, Any]:
        """Say what an item on record does; a new entry takes its place in one transaction.

        `more`: `half_life`, `grade`, `story`, `because`, `confirmed`, `event_at`.
        """
        from forecasting.app.news.code import code

        return code(self.ledger, name, on, now=clock.now(), **more)

    def uncode_news(self, name: str) -> dict[str, Any]:
        """Put a coded item back as it was before, to be coded again."""
        from forecasting.app.news.code import uncode

        return uncode(self.ledger, name, now=clock.now())

    def join_story(self, name: str, story: str) -> dict[str, Any]:
        """Put an item into the story of another; what it does stays as it is."""
        from forecasting.app.news.code import join

        return join(self.ledger, name, story, now=clock.now())

    def news_effect(
        self,
        name: str,
        target: str,
        *,
        half_life: str = "",
        codes: Sequence[str] | None = None,
        told: Callable[[str], None] = _silent,
    ) -> dict[str, Any]:
        """Say what each code of an item would do to every question that it touches."""
        from forecasting.app.news.code import effect
        from forecasting.app.news.codes import CODES

        return effect(
            self.ledger,
            name,
            target,
            now=clock.now(),
            half_life=half_life,
            codes=CODES if codes is None else codes,
            told=told,
        )

    def news_stories(self) -> list[dict[str, Any]]:
        """Give the stories that have more than one item, the newest first, each with its items."""
        from forecasting.app.news import shown

        found: dict[str, list[dict[str, Any]]] = {}
        for row in shown.rows(self.ledger, now=clock.now()):
            found.setdefault((row["story"] or row["key"]).partition("/")[0], []).append(row)
        told: list[dict[str, Any]] = [
            {"story": story, "items": sorted(items, key=lambda row: row["known_at"])}
            for story, items in found.items()
            if len(items) > 1
        ]
        return sorted(told, key=_latest, reverse=True)

    def coded_news(self) -> list[dict[str, Any]]:
        """Give the news that stands and is coded, the latest first, with what it weighs now."""
        from forecasting.app.news import shown

        rows = [
            row
            for row in shown.rows(self.ledger, now=clock.now())
            if row["seq"] is not None and any(said != "bears" for said in row["on"].values())
        ]
        return sorted(rows, key=lambda row: (row["known_at"], row["seq"]), reverse=True)

    def world_page(self) -> "WorldPage":
        """Give the processes and links as they stand now; nothing is simulated."""
        from forecasting.app.upkeep.banks import bank_of
        from forecasting.app.world.processes import world_page
        from forecasting.domain.watch import watched
        from forecasting.evidence import retracted

        now = clock.now()
        return world_page(
            bank_of(self.ledger).world,
            retracted(self.ledger.evidence()),
            now,
            watched=watched(self.ledger.watches(), now, live=True),
        )

    def process_states(self) -> dict[str, tuple[str, ...]]:
        """Give the states that a process may come to, but for the one that it begins in.

        Of those alone that an open question rests on: no other is simulated.
        """
        from forecasting.app.catalog import Catalog
        from forecasting.app.news.world import NewsWorld
        from forecasting.evidence.relevant import asked, part_of

        catalog = Catalog.of(self.ledger)
        news = NewsWorld.of(self.ledger, catalog)
        names = [
            asked(news.predicates[question.id])
            for question in catalog.open_at(clock.now())
            if question.id in news.predicates
        ]
        world = part_of(news.world, frozenset().union(*names))
        return {
            name: process.states[1:]
            for name, process in world.processes.items()
            if len(process.states) > 1
        }

    def open_outcomes(self) -> list[dict[str, Any]]:
        """Give the open questions that the world answers, with what each may be answered with."""
        from forecasting.app.catalog import Catalog
        from forecasting.app.news.world import NewsWorld

        catalog = Catalog.of(self.ledger)
        answered = NewsWorld.of(self.ledger, catalog).predicates
        return [
            {
                "question": question.id,
                "title": question.title,
                "type": question.type,
                "outcomes": ("yes", "no") if question.type == "binary" else question.space.options,
            }
            for question in catalog.open_at(clock.now())
            if question.id in answered
        ]

    def beside(self, *, kind: str = "live", run: str = "") -> dict[str, Any]:
        """Give what each worldview said last of each question, beside the model."""
        from forecasting.app.forecast.worldviews import beside

        return beside(self.ledger, now=clock.now(), kind=kind, run=run)


def _latest(story: dict[str, Any]) -> dt.datetime:
    moment: dt.datetime = story["items"][-1]["known_at"]
    return moment
