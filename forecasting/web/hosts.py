"""Which names this app answers to: a name that another site points here is no name of ours."""

import contextlib
import ipaddress
import socket


def loopback(host: str) -> bool:
    """Say whether a host is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def everywhere(host: str) -> bool:
    """Say whether a host is every address of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def authority(host: str, port: int) -> str:
    """Write a host with its port as a browser does."""
    name = f"[{host}]" if ":" in host else host
    return name if port == 80 else f"{name}:{port}"


def _own_names() -> set[str]:
    """Give this machine's own name and addresses, as far as it knows them itself."""
    name = socket.gethostname()
    names = {name}
    # A name that does not resolve has no addresses to answer to.
    with contextlib.suppress(OSError):
        names |= {str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(name, None)}
    return names


def answered(host: str, port: int, names: tuple[str, ...] = ()) -> frozenset[str]:
    """Give every value of the Host header that is ours: where we listen, and a proxy's names."""
    own = {"127.0.0.1", "localhost", "::1"} if loopback(host) or everywhere(host) else {host}
    if everywhere(host):
        own |= _own_names()
    return frozenset({authority(each, port).lower() for each in own} | {n.lower() for n in names})
