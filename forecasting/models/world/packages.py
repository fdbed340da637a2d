"""Deliveries: stub until the graph stands."""

from types import SimpleNamespace

from forecasting.models.world.assembly import Hazard
from forecasting.models.world.values import Size


def delivery_hazards(classes):
    def of(parts, records, items, as_of, fits, *, points, seed):
        h = {}
        for name in parts:
            h[name, "agreed > begun"] = Hazard(0.02, 1.8, size=Size(0.35, 6.0))
            h[name, "begun > begun"] = Hazard(0.5, 1.0, size=Size(0.3, 6.0))
            h[name, "begun > stalled"] = Hazard(0.05, 1.0)
            h[name, "stalled > begun"] = Hazard(0.02, 1.0)
            for x in ("agreed", "begun", "stalled"):
                h[name, f"{x} > failed"] = Hazard(0.001, 1.0)
        return SimpleNamespace(hazards=h, fit=None)

    return of
