"""Deliveries: stub until the graph stands."""
from forecasting.models.world.assembly import Hazard
from forecasting.models.world.values import Size
from types import SimpleNamespace
def delivery_hazards(classes):
    def of(parts, records, items, as_of, fits, *, points, seed):
        h={}
        for name in parts:
            h[name,"agreed > begun"]=Hazard(.02,1.8,size=Size(.35,6.))
            h[name,"begun > begun"]=Hazard(.5,1.,size=Size(.3,6.))
            h[name,"begun > stalled"]=Hazard(.05,1.)
            h[name,"stalled > begun"]=Hazard(.02,1.)
            for x in ("agreed","begun","stalled"): h[name,f"{x} > failed"]=Hazard(.001,1.)
        return SimpleNamespace(hazards=h, fit=None)
    return of
