"""The shape of a world file, as pydantic models.

A process has keys that are days (its dated facts) and one that says from when it was watched
(``since 2022-02-24``), which no fixed field can hold: `forecasting.bank.world_file` reads those one
by one. The models serve it piece by piece, and the JSON Schema for editors as a whole.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from forecasting.bank.schema import SLUG, Day, DayOrMoment, QuestionFile, _File, _number_text

DAY_KEY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$"
SINCE_KEY = r"^since [0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$"
LINK_KEY = r"^(while|once) .+$"
Text = Annotated[str, BeforeValidator(_number_text)]
PHRASE = (
    'How fast: "" (its own history), 3 in 70 weeks, once in 8 mo, 5% a year, '
    "median 60 d (15..240) shape 0.8, class NAME, at 2026-05-31."
)


class MoveFile(_File):
    """A move or an event in its long form."""

    rate: Text = Field(default="", description=PHRASE)
    source: str = ""
    known_by: Day | None = None
    because: str = ""


def _long(value: object) -> object:
    """Give a move in its long form; nothing after the colon states nothing, as ``""`` does."""
    scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
    return {} if value is None else {"rate": value} if scalar else value


LONG = BeforeValidator(_long, json_schema_input_type=MoveFile | Text | None)


class FactFile(_File):
    """A dated fact in its long form: the state entered, ``event``, or the amount of a part."""

    state: Text = ""
    amount: float | None = None
    known: DayOrMoment | None = None
    source: str = ""
    grade: Literal["A", "B", "C", "D", "E", "F"] = "B"
    title: str = ""


class DeliveryFile(_File):
    """What was agreed to be delivered."""

    agreed: float
    announced: DayOrMoment
    known: DayOrMoment | None = Field(
        default=None, description="When the agreement was known; default: when it was announced."
    )
    delivered: float = Field(default=0.0, description="What had come before the first dated part.")
    unit: str = ""
    reference: str = Field(default="", alias="class", description="A row of reference/classes.csv.")


class ProcessFile(_File):
    """A process: exactly one of moves, event, delivery, at and kind, and its dated facts."""

    title: str = ""
    source: str = Field(default="", description="Of its moves and facts that state none.")
    known_by: Day | None = None
    because: str = ""
    states: list[Text] = Field(
        default_factory=list, description="In order; default: as the moves name them."
    )
    moves: dict[str, Annotated[MoveFile, LONG]] = Field(default_factory=dict)
    event: Annotated[MoveFile | None, LONG] = None
    delivery: DeliveryFile | None = None
    at: Annotated[str, BeforeValidator(str)] | None = Field(
        default=None, description="A day, or first possible..planned day."
    )
    kind: str | None = Field(default=None, description="A kind of process of one's own.")
    settings: dict[str, Any] = Field(default_factory=dict)
    watched: DayOrMoment | None = Field(default=None, description="Default: the file's.")


class LinkFile(_File):
    """A link, apart from its own key, ``while A=x: B=y x3 (1..9)``."""

    because: str = ""
    source: str = ""
    known_by: Day | None = None
    past: Text | None = Field(
        default=None, description="Share of the past in which it was on, such as 40%."
    )


class WorldFile(_File):
    """The fields of a world file; processes and links are read one by one."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    zone: str | None = None
    watched: DayOrMoment | None = None
    processes: dict[str, Any] = Field(default_factory=dict)
    links: list[Any] = Field(default_factory=list)
    questions: dict[str, Any] = Field(default_factory=dict)


def _dated_keys(schema: dict[str, Any]) -> None:
    fact = FactFile.model_json_schema() | {"description": "A dated fact."}
    schema["patternProperties"] = {
        SINCE_KEY: {"type": ["string", "null"], "description": "Watched from here, in a state."},
        DAY_KEY: {"anyOf": [{"type": ["string", "number"]}, fact]},
    }


def _link_keys(schema: dict[str, Any]) -> None:
    schema["patternProperties"] = {LINK_KEY: {"type": "string"}}


class _ProcessShape(ProcessFile):
    """As an editor sees it, its dated keys too."""

    model_config = ConfigDict(json_schema_extra=_dated_keys)


class _LinkShape(LinkFile):
    """As an editor sees it, its own key too."""

    model_config = ConfigDict(json_schema_extra=_link_keys)


class _ShortQuestion(QuestionFile):
    """A question whose slug is its key."""

    slug: str = Field(default="", pattern=SLUG)


class WorldShape(WorldFile):
    """A world file as an editor sees it."""

    processes: dict[Annotated[str, Field(pattern=SLUG)], _ProcessShape] = Field(
        default_factory=dict
    )
    links: list[_LinkShape] = Field(default_factory=list)
    questions: dict[Annotated[str, Field(pattern=SLUG)], _ShortQuestion] = Field(
        default_factory=dict, description="Questions in their short form: slug to fields."
    )
