"""The columns of each frame that a book gives, for those without rows; a test compares them."""

QUESTIONS = (
    *(
        "id",
        "title",
        "type",
        "ladder",
        "status",
        "opens",
        "closes",
        "by",
        "outcome",
        "model",
        "texts",
    ),
    *("event", "topic", "tags", "latest", "withdrawn", "latest_model", "difference"),
)
FORECASTS = (
    *("seq", "question", "forecaster", "kind", "mark", "forecast", "issued_at", "recorded_at"),
    *("because", "run", "claim"),
)
HISTORY = (
    *("seq", "question", "forecaster", "kind", "forecast", "issued_at", "recorded_at", "mark"),
    *("from", "until", "lower", "upper", "method", "run", "sealed", "because"),
)
EVIDENCE = (
    *("seq", "recorded_at", "key", "kind", "title", "source", "grade", "certainty", "event_at"),
    *("known_at", "story", "stream", "url", "on", "then", "now", "half_life", "moves", "unusable"),
    "state",
)
RESOLUTIONS = (
    *("seq", "question", "status", "outcome", "resolved_at", "recorded_at", "source", "certainty"),
    *("note", "version", "stands"),
)
SCORED_RESOLUTIONS = (
    *RESOLUTIONS[:-1],
    *("kind", "forecaster", "mean", "n", "rule", "coverage", "skill"),
)
SCORES = (
    *(
        "forecaster",
        "type",
        "unit",
        "rule",
        "convention",
        "orientation",
        "kind",
        "window",
        "proper",
    ),
    *("n_questions", "n_forecasts", "n_events", "coverage", "possible_coverage", "mean", "lower"),
    *("upper", "while_open", "skill", "reference", "missing", "note"),
)
CURVE = ("forecast", "event_rate", "n", "events", "lower", "upper")
LEADERBOARD = (
    *("rank", "forecaster", "raw", "adjusted", "lower", "upper", "p_best", "rank_lower"),
    *("rank_upper", "component", "n_questions", "n_events", "rule", "convention", "kind"),
    *("window", "type"),
)
WATCHES = ("process", "title", "until", "recorded_at", "days", "watcher", "because", "seq")
UPDATE = (
    *("question", "model", "before", "after", "lower", "upper", "mcse", "method", "k_hat", "gate"),
    *(
        "fit",
        "moved",
        "logged",
        "linked",
        "reason",
        "closes",
        "seconds",
        "watched_until",
        "quiet",
        "status",
    ),
)
WORLDVIEWS = (
    *("worldview", "title", "weight", "n_resolved", "n_events", "brier", "n_scored", "n_claims"),
    *("claims_score", "claims_low", "claims_high", "n_claims_model", "claims_score_there"),
    *("claims_model", "claims", "differs", "as_of", "kind", "run"),
)
WEIGHTS = ("at", "event", "questions", "n_resolved", "n_events", "weights")
ANSWERS = ("question", "type", "outcome", "number", "lower", "upper", "mcse", "gate")
WHAT_IF = (
    *("question", "state", "before", "after", "lower", "upper"),
    *("change", "change_mcse", "mcse", "gate", "basis"),
)
VALUE = ("question", "target", "value_of_information", "days", "per_day", "rank_per_day")
