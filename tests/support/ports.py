"""A port that nobody listens on."""

import socket


def free_port() -> int:
    """Free at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
