"""Serves the SCIM surface of a site over HTTP, with what Python's standard library has.

    python serve.py COMPONENT [DATABASE]      in memory, or in a file of SQLite; prints the base URL and the API key
"""
import contextlib
import http.server
import sys
import threading

from storages import MAX_VALUE_BYTES, MemoryStorage, SqliteStorage
from usher import Usher, settings

# The component takes requests of up to 16 MiB; there is no sense in reading more.
MAX_BODY_BYTES = MAX_VALUE_BYTES


class Handler(http.server.BaseHTTPRequestHandler):
    """Turns an HTTP request into `scim.request`, and `scim.response` into what is sent. Whether a key is good, a path exists
    or a body makes sense is the component's to say."""

    site = None
    protocol_version = "HTTP/1.1"
    # A response is written in two parts. Without this the second would wait for the first to be acknowledged.
    disable_nagle_algorithm = True

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > MAX_BODY_BYTES:
            return self.refuse(413)
        try:
            body = self.rfile.read(length).decode()
        except UnicodeDecodeError:
            # What is encoded may be no text. The component says why it is not taken.
            if "Content-Encoding" not in self.headers:
                return self.refuse(400)
            body = None
        path, separator, query = self.path.partition("?")
        response = self.site.handle(
            method="GET" if self.command == "HEAD" else self.command,
            origin=f"http://{self.headers['Host']}",
            path=path,
            query=query if separator else None,
            headers=self.headers.items(),
            body=body or None,
        )
        self.reply(response.status, response.headers, (response.body or "").encode())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def refuse(self, status):
        # What is left of the body is not read, so that the connection cannot be used again.
        self.close_connection = True
        self.reply(status, [("connection", "close")], b"")

    def reply(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        """Nothing: a path has ids of users in it."""


@contextlib.contextmanager
def served(site):
    """A server for a site, on a port of its own: its origin."""
    handler = type("SiteHandler", (Handler,), {"site": site})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def connect(site, name, **others):
    """Connects an identity provider: the path of its SCIM base URL, and its API key."""
    connected = site.call("directories", "connect", "serve.py", settings(name, **others))
    return vars(connected.directory)["scim-path"], vars(connected.key)["api-key"]


def main(component, database=None):
    site = Usher(component).site(SqliteStorage(database) if database else MemoryStorage())
    path, key = connect(site, "Served from Python")
    with served(site) as origin:
        print(f"{origin}{path}\n{key}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
