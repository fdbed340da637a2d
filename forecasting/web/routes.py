"""Routes: a method, a path, and the plain function that answers a visit there."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from starlette.responses import Response

    from forecasting.web.visit import Visit

#: The most bytes of a form without a file; a rationale may be long, a book is a file.
FORM = 256_000
#: The most bytes of a form with a file.
UPLOAD = 20_000_000


@dataclass(frozen=True, slots=True)
class Route:
    """One route; `most` bounds the bytes of its body, `reader` says that a reader may post it.

    `free` routes are for those who have not signed in.
    """

    method: Literal["GET", "POST"]
    path: str
    answer: "Callable[[Visit], Response]"
    most: int = FORM
    reader: bool = False
    free: bool = False


#: The route of a page, which changes nothing, and that of a form.
get, post = partial(Route, "GET"), partial(Route, "POST")
