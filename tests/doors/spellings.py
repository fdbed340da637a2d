"""One table of spellings: what each means at every door, or with which words it is refused.

A row is a spelling and what it means: a value, or ``Refused`` with a part of the reason. The
question's zone is Europe/Kyiv, and now is 2026-11-22T12:00Z.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refused:
    """The spelling is refused, with these words at every door."""

    words: str


CERTAIN = Refused("means certainty, or 1 %")
PERCENT = Refused("% meant")
RANGE = Refused("must lie from 0 to 1")
NOT_FINITE = Refused("is not a finite number")
DIGITS = Refused("must use the digits 0 to 9")
NO_NUMBER = Refused("is not a number")
BAND = Refused("must be a number from 0 to 1 or a verbal band")

PROBABILITIES = {
    "0.35": 0.35,
    " 0.35 ": 0.35,
    "0.350": 0.35,
    ".35": 0.35,
    "+0.35": 0.35,
    "0,35": 0.35,
    ",35": 0.35,
    "35%": 0.35,
    "35 %": 0.35,
    "35\u00a0%": 0.35,
    "35\u202f%": 0.35,
    "12.5%": 0.125,
    "12,5 %": 0.125,
    "35 percent": 0.35,
    "35 per cent": 0.35,
    "0%": 0.0,
    "0": 0.0,
    "0.0": 0.0,
    "100%": 1.0,
    "100 %": 1.0,
    "1.0": 1.0,
    "1.00": 1.0,
    "1%": 0.01,
    "0.01": 0.01,
    "1e-5": 0.00001,
    "1e-05": 0.00001,
    "1E-5": 0.00001,
    "5e-1": 0.5,
    "1e-17": 1e-17,
    "1:3": 0.25,
    "1 : 3": 0.25,
    "3:1": 0.75,
    "1 in 4": 0.25,
    "1 in 1": 1.0,
    "3 IN 4": 0.75,
    "1 in 1,234": Refused("is 1.234 or 1234"),
    "4 in 1": RANGE,
    "0 in 0": RANGE,
    "~30%": NO_NUMBER,
    "about 30%": NO_NUMBER,
    "likely": 0.675,
    "Likely": 0.675,
    "very likely": 0.875,
    "ALMOST-NO-CHANCE": 0.03,
    "1": CERTAIN,
    "1.": CERTAIN,
    "01": CERTAIN,
    "1e0": CERTAIN,
    "4": PERCENT,
    "85": PERCENT,
    "1.2": PERCENT,
    "100": PERCENT,
    "101": RANGE,
    "150%": RANGE,
    "-0.1": RANGE,
    "-5 %": RANGE,
    "1,234": Refused("is 1.234 or 1234"),
    "nan": NOT_FINITE,
    "Infinity": NOT_FINITE,
    "1e999": NOT_FINITE,
    "1_0": Refused("must not contain an underscore"),
    "٣٥%": DIGITS,
    "０.５": DIGITS,
    "1/3": NO_NUMBER,
    "0.3.5": NO_NUMBER,
    "maybe": BAND,
    "50-50": NO_NUMBER,
    "1e-400": Refused("too small"),
    "0:0": Refused("one side of the odds"),
    "٠:١": DIGITS,
    "１:３": DIGITS,
}

_DAY = Refused("must be a calendar day")
_NOTHING = Refused("is not a day or a moment")
_TWO = Refused("is 2026-03-04 or 2026-04-03")
_ZONE = Refused("must carry a zone")
AT = "2026-10-05T09:07:00Z"
#: Moments at which something was known: a day means the midnight that ends it.
MOMENTS = {
    "2026-10-05T09:07Z": AT,
    "2026-10-05T09:07:00Z": AT,
    "2026-10-05T09:07:00.000Z": AT,
    "2026-10-05T09:07:00.25Z": "2026-10-05T09:07:00.250000Z",
    "2026-10-05T09:07:00.123456789Z": "2026-10-05T09:07:00.123456Z",
    "2026-10-05t09:07z": AT,
    "2026-10-05 09:07Z": AT,
    "2026-10-05 09:07:00 Z": AT,
    "2026-10-05T09:07:00+00:00": AT,
    "2026-10-05T09:07:00+0000": AT,
    "2026-10-05 09:07:00+00": AT,
    "2026-10-05T12:07+03:00": AT,
    "2026-10-05T12:07+03": AT,
    "2026-10-05T05:07:00\u221204:00": AT,
    "20261005T090700Z": AT,
    "2026-10-05T09:07 UTC": AT,
    "2026-10-05 09:07 GMT": AT,
    "2026-10-05 12:07 Europe/Kyiv": AT,
    "2026-10-05T09:07:00,000Z": AT,
    "2026-W41-1T09:07Z": AT,
    "2026-278T09:07Z": AT,
    "5 Oct 2026 09:07 UTC": AT,
    "Oct 5, 2026 9:07 am UTC": AT,
    "Mon, 05 Oct 2026 09:07:00 +0000": AT,
    "Mon, 05 Oct 2026 05:07:00 GMT-0400": AT,
    "2026-10-05T24:00Z": "2026-10-06T00:00:00Z",
    "2026-10-05T09:07:00 MSK": Refused("zone MSK is ambiguous"),
    "2026-10-05T09:07:00 EST": Refused("zone EST is ambiguous"),
    "2026-10-05T09:07+25:00": Refused("is not an offset"),
    "2026-10-05T09:61Z": Refused("minute must be in 0..59"),
    "2026-10-05T25:00Z": Refused("hour must be in 0..23"),
    "2026-02-30T09:00Z": _DAY,
    "03/04/2026 09:00Z": _TWO,
    "1759655220": _NOTHING,
    "noon": _NOTHING,
    "09:07": _NOTHING,
    "2026-10": _NOTHING,
}

ENDS = "2026-10-05T21:00:00Z"
#: Days that close a question, or on which an outcome was known: the midnight that ends them.
DAYS = {
    "2026-10-05": ENDS,
    "2026-10-5": ENDS,
    "2026/10/05": ENDS,
    "2026.10.05": ENDS,
    "20261005": ENDS,
    "2026-278": ENDS,
    "2026-W41-1": ENDS,
    "5 Oct 2026": ENDS,
    "05 October 2026": ENDS,
    "5th Oct 2026": ENDS,
    "5-Oct-2026": ENDS,
    "5\u00a0Oct\u00a02026": ENDS,
    "Oct 5, 2026": ENDS,
    "October 5 2026": ENDS,
    "OCT 5, 2026": ENDS,
    "Monday, 5 October 2026": ENDS,
    "Sunday, 5 October 2026": Refused("that day is a Monday"),
    "Tue Oct 6, 2026": "2026-10-06T21:00:00Z",
    "Thurs, 5 October 2026": Refused("that day is a Monday"),
    "23/06/2026": "2026-06-23T21:00:00Z",
    "06/23/2026": "2026-06-23T21:00:00Z",
    "23.06.2026": "2026-06-23T21:00:00Z",
    "05/05/2026": "2026-05-05T21:00:00Z",
    "03/04/2026": _TWO,
    "3.4.2026": _TWO,
    "03-04-2026": _TWO,
    "2026-02-30": _DAY,
    "31/02/2026": _DAY,
    "2026-13-01": _DAY,
    "5 Okt 2026": Refused("is not a day"),
    "5 Oct 26": Refused("is not a day"),
    "Oct 2026": Refused("is not a day"),
    "soon": Refused("is not a day"),
}

YES_NO = {
    **dict.fromkeys(("yes", "Yes", "YES", "y", "Y", "true", "TRUE", "True", "1", "1.0"), "yes"),
    **dict.fromkeys(("no", "No", "NO", "n", "N", "false", "FALSE", "False", "0", "0.0"), "no"),
    " yes ": "yes",
    "yes\u00a0": "yes",
    "Annulled": "annulled",
    "maybe": Refused("must be one of no, yes, annulled"),
    "2": Refused("must be one of no, yes, annulled"),
    "ja": Refused("must be one of no, yes, annulled"),
}

#: Of a question with the options none, Soft deal, firm.
OPTIONS = {
    "none": "none",
    "NONE": "none",
    "Soft deal": "Soft deal",
    "soft deal": "Soft deal",
    " SOFT  DEAL ": "Soft deal",
    "soft\u00a0deal": "Soft deal",
    "firm": "firm",
    "annulled": "annulled",
    "hard": Refused("must be one of none, Soft deal, firm, annulled"),
    "soft": Refused("must be one of none, Soft deal, firm, annulled"),
}

#: Outcomes of a question about a number from -10 to 5,000,000 people.
NUMBERS = {
    "1200": "1200",
    "1200 people": "1200",
    "1 200 People": "1200",
    ">5000000 people": ">5000000",
    "1200.5": "1200.5",
    "1200,5": "1200.5",
    "-0.5": "-0.5",
    "-0,5": "-0.5",
    "\u22120.5": "-0.5",
    ".5": "0.5",
    "+3": "3",
    "1 200": "1200",
    "1\u00a0200": "1200",
    "1\u202f200,5": "1200.5",
    "1'200": "1200",
    "1,200.5": "1200.5",
    "1.200,5": "1200.5",
    "1,200,000": "1200000",
    "1.200.000": "1200000",
    "1.2e3": "1200",
    "1.2340": "1.2340",
    "6000000": ">5000000",
    "6,000,000": ">5000000",
    "-11": "<-10",
    ">5000000": ">5000000",
    "above": ">5000000",
    "1,234": Refused("is 1.234 or 1234"),
    "12 34": NO_NUMBER,
    "1,23,456": NO_NUMBER,
    "about 5": NO_NUMBER,
    "nan": NOT_FINITE,
    "inf": NOT_FINITE,
    "1_000": Refused("must not contain an underscore"),
    "١٢": DIGITS,
}
