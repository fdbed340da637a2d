"""Which names this app answers to: a name that another site points here is no name of ours."""

import ipaddress


def loopback(host: str) -> bool:
    """Say whether a host is this machine alone.

    Examples
    --------
    >>> loopback("127.0.0.1"), loopback("localhost"), loopback("::1"), loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def authority(host: str, port: int) -> str:
    """Write a host with its port as a browser does.

    Examples
    --------
    >>> authority("::1", 8100), authority("127.0.0.1", 80)
    ('[::1]:8100', '127.0.0.1')
    """
    name = f"[{host}]" if ":" in host else host
    return name if port == 80 else f"{name}:{port}"


def answered(host: str, port: int, names: tuple[str, ...] = ()) -> frozenset[str]:
    """Give every value of the Host header that is ours.

    Parameters
    ----------
    host, port
        Where the app listens.
    names
        Names under which a proxy serves it, each with its port where that is not the scheme's own.

    Examples
    --------
    >>> sorted(answered("127.0.0.1", 8100))
    ['127.0.0.1:8100', '[::1]:8100', 'localhost:8100']
    """
    own = ("127.0.0.1", "localhost", "::1") if loopback(host) else (host,)
    return frozenset({authority(each, port).lower() for each in own} | {n.lower() for n in names})
