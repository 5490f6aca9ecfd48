"""A proxy for https whose every way leads to one port of this machine, as a resolver would lead there.

Clients that heed HTTPS_PROXY reach an emulator through it with a company's own addresses in them, unchanged.
"""

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

CHUNK = 65_536
IDLE_SECONDS = 60.0


@dataclass
class Tunnel:
    """Where the proxy listens, and which hosts were asked for."""

    address: str = ""
    hosts: set[str] = field(default_factory=set)


@contextmanager
def tunnel_to(port: int) -> Iterator[Tunnel]:
    """Serve until the block ends."""
    tunnel = Tunnel()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            words = self.rfile.readline().decode("latin-1").split()
            while self.rfile.readline().strip():
                pass
            if len(words) != 3 or words[0] != "CONNECT":
                self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
                return
            tunnel.hosts.add(words[1].rpartition(":")[0])
            with socket.create_connection(("127.0.0.1", port), timeout=IDLE_SECONDS) as far:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _pass_on(self.connection, far)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        tunnel.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield tunnel
        finally:
            server.shutdown()
            thread.join()


def _pass_on(near: socket.socket, far: socket.socket) -> None:
    """Both ways until one side ends, or nothing comes for a while."""
    while True:
        ready, _, _ = select.select([near, far], [], [], IDLE_SECONDS)
        if not ready:
            return
        for one in ready:
            data = one.recv(CHUNK)
            if not data:
                return
            (far if one is near else near).sendall(data)
