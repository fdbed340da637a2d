"""How one browser likes its pages: kept in a cookie of its own, and nothing secret in it."""

from dataclasses import asdict, dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode

from forecasting.domain.instants import zone as zone_of
from forecasting.errors import ForecastingError

COOKIE = "forecast-likes"


@dataclass(frozen=True, slots=True)
class Preferences:
    """The zone of its days, the forecaster, and whether numbers `hide` until one's own is given."""

    zone: str = ""
    forecaster: str = ""
    hide: bool = False

    @classmethod
    def of(cls, cookie: str) -> "Preferences":
        """Read the cookie; what is odd in it counts as unset."""
        try:
            values = dict(parse_qsl(unquote(cookie), errors="strict", max_num_fields=8))
        except ValueError:
            return cls()
        name = values.get("forecaster", "")[:80]
        return cls(
            zone=values.get("zone", "") if known_zone(values.get("zone", "")) else "",
            forecaster=name if name.isprintable() else "",
            hide=values.get("hide") == "1",
        )

    def cookie(self) -> str:
        """Write the cookie's value; without the letters that a cookie would have in quotes."""
        values = asdict(self) | {"hide": "1" if self.hide else ""}
        return quote(urlencode({name: value for name, value in values.items() if value}), safe="")


def known_zone(name: str) -> bool:
    """Say whether a zone of that name exists."""
    if not name:
        return False  # a misspelled one is looked for among all, which takes longer than a page
    try:
        zone_of(name)
    except (ForecastingError, ValueError, OSError):
        return False
    return True
