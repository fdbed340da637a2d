"""The web app: pages over `Book`, drawn on the server, that work without a script.

`house` is the app at work, `gate` what every request passes, `visit` one request with its book,
`pages` the pages, one file each. Nothing here touches the ledger: `Book` is the one door.
"""
