"""The listening socket: at the port asked for, or the next free one of ten."""

import errno
import socket

from host.errors import EXIT_BUSY, InvalidValue, OnecardError
from host.processes import holder_of_port

PORT_COUNT = 10


class PortsTaken(OnecardError):
    """All ten ports are taken; the message names who has the first."""

    exit_code = EXIT_BUSY


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket. Port 0 is any. Raises `PortsTaken`, and `InvalidValue` for a host that is not ours."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except (OSError, UnicodeError):
        raise _not_ours(host) from None
    for number in range(port, min(port + PORT_COUNT, 65_536)) if port else [0]:
        opened = socket.socket(family, socket.SOCK_STREAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((host, number))
            opened.listen(socket.SOMAXCONN)
        except OSError as error:
            opened.close()
            if error.errno == errno.EADDRNOTAVAIL:
                raise _not_ours(host) from None
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return opened
    holder = holder_of_port(port) or "another program"
    last = min(port + PORT_COUNT, 65_536) - 1
    raise PortsTaken(f"端口 {port} 至 {last} 都被占用 ports {port} to {last} are taken, {port} by {holder}: end it, or set [web] port")


def _not_ours(host: str) -> InvalidValue:
    return InvalidValue(f"地址不对 {host!r} is no address of this machine: take 127.0.0.1, or 0.0.0.0 for every network it is on")
