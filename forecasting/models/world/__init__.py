"""One world: processes that move through states in time, links, news, and questions as predicates.

``values`` holds the numbers of a world, ``simulate`` draws its paths, ``paths`` asks them.
"""
