# SPDX-License-Identifier: Apache-2.0
"""Each fault of fault_proxy.py does what it says, seen from a bare socket; without one it changes nothing; the same seed draws the same faults."""
import http.server
import pathlib
import re
import select
import socket
import subprocess
import sys
import threading

PROXY = pathlib.Path(__file__).with_name("fault_proxy.py")
SIZE = 200_000
BODY = bytes(i * 7 % 251 for i in range(SIZE))
XML = b"<a>" + b"b" * 500 + b"</a>"
problems, seen = [], []  # seen: what reached the server


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        seen.append(self.path)
        self.answer(200, *(("application/xml", XML) if self.path == "/xml" else ("x/y", BODY)))

    do_HEAD = do_GET

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        seen.append(self.path)
        self.answer(200, "x/y", b"the same" if body == BODY else b"another")

    def log_message(self, *_arguments):
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_arguments):  # connections that faults broke
        pass


class Proxy:
    def __init__(self, upstream, *options):
        self.process = subprocess.Popen([sys.executable, PROXY, *options, upstream], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(re.search(r"endpoint=http://127.0.0.1:(\d+) seed=\d+$", self.process.stdout.readline())[1])

    def tell(self, line):
        print(line, file=self.process.stdin, flush=True)
        return self.process.stdout.readline().strip()

    def count(self, name):
        return int(dict(word.split("=") for word in self.tell("report").split()).get(name, 0))

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Client:
    """One connection: what came, and how it ended: eof, reset or quiet."""

    def __init__(self, proxy):
        self.socket = socket.create_connection(("127.0.0.1", proxy.port))
        self.came, self.end = b"", None

    def send(self, method, path, body=b"", more=""):
        try:
            self.socket.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body)
        except OSError:
            pass
        return self

    def take(self, quiet=0.5, most=None):
        """Until the connection ends, nothing comes for so long, or so much has come; with most=0: one answer."""
        while most is None or (len(self.came) < most if most else not self.whole()):
            if not select.select([self.socket], [], [], quiet)[0]:
                self.end = "quiet"
                break
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionResetError:
                self.end = "reset"
                break
            if not data:
                self.end = "eof"
                break
            self.came += data
        return self

    def whole(self):
        length = re.search(rb"\r\nContent-Length: (\d+)", self.head)
        return length is not None and len(self.body) >= int(length[1])

    @property
    def head(self):
        return self.came.partition(b"\r\n\r\n")[0]

    @property
    def body(self):
        return self.came.partition(b"\r\n\r\n")[2]


def check(fits, text):
    if not fits:
        problems.append(text)
        print(f"FAILED: {text}", file=sys.stderr)


# fault: (method, path, did the server see it, how the connection ends, what must hold of what came)
GOOD = lambda c: c.head.startswith(b"HTTP/1.1 200") and c.body == BODY
NOTHING = lambda c: c.came == b""
HALF = lambda c: c.head.startswith(b"HTTP/1.1 200") and c.body == BODY[:SIZE // 2]
FAULTS = {
    "answer": ("PUT", "/p", False, "quiet", lambda c: c.head.startswith(b"HTTP/1.1 503") and b"<Code>SlowDown</Code>" in c.body),
    "answer status=307 code=Away header=Location:/q": ("GET", "/g", False, "quiet", lambda c: b"307" in c.head and b"Location:/q" in c.head),
    "early_answer": ("PUT", "/p", False, "eof", lambda c: c.head.startswith(b"HTTP/1.1 503")),
    "error_in_200": ("PUT", "/p", False, "quiet", lambda c: c.head.startswith(b"HTTP/1.1 200") and b"<Error>" in c.body),
    "reset": ("GET", "/g", False, "reset", NOTHING),
    "reset at=0.5": ("PUT", "/p", False, "reset", NOTHING),
    "close": ("GET", "/g", False, "eof", NOTHING),
    "stall": ("PUT", "/p", False, "quiet", NOTHING),
    "stall_upload": ("PUT", "/p", False, "quiet", NOTHING),
    "garbage": ("GET", "/g", False, "eof", lambda c: len(c.came) == 4096 and not c.came.startswith(b"HTTP/1.1 200")),
    "bad_head": ("GET", "/g", False, "eof", lambda c: c.came != b""),
    "endless_head lines=500": ("GET", "/g", False, "eof", lambda c: len(c.came) > 500_000 and b"\r\n\r\n" not in c.came),
    "lost_answer": ("GET", "/g", True, "eof", NOTHING),
    "hold": ("GET", "/g", True, "quiet", NOTHING),
    "slow_first_byte seconds=60": ("GET", "/g", True, "quiet", NOTHING),
    "slow_first_byte seconds=0.1": ("GET", "/g", True, "quiet", GOOD),
    "truncate at=0.5": ("GET", "/g", True, "eof", HALF),
    "reset_body at=0": ("GET", "/g", True, "reset", lambda c: c.body == b""),
    "stall_body at=0.5": ("GET", "/g", True, "quiet", HALF),
    "drip bytes=5000 pause=0.001": ("GET", "/g", True, "quiet", GOOD),
    "split": ("GET", "/g", True, "quiet", GOOD),
    "long_length by=7": ("GET", "/g", True, "eof", lambda c: f"Content-Length: {SIZE + 7}".encode() in c.head and c.body == BODY),
    "short_length by=7": ("GET", "/g", True, "quiet", lambda c: f"Content-Length: {SIZE - 7}".encode() in c.head and c.body == BODY),
    "chunked": ("GET", "/g", True, "quiet", lambda c: b"Content-Length" not in c.head and c.body.endswith(b"\r\n0\r\n\r\n")),
    "chunked_truncate": ("GET", "/g", True, "eof", lambda c: SIZE // 2 <= len(c.body) < SIZE and not c.body.endswith(b"0\r\n\r\n")),
    "until_close": ("GET", "/g", True, "eof", lambda c: b"Content-Length" not in c.head and c.body == BODY),
    "close_after": ("GET", "/g", True, "eof", GOOD),
    "garbage_xml": ("GET", "/xml", True, "quiet", lambda c: len(c.body) == len(XML) and c.body != XML),
    "informational": ("GET", "/g", True, "quiet", lambda c: c.came.startswith(b"HTTP/1.1 102") and c.body.endswith(BODY)),
    "corrupt": ("GET", "/g", True, "quiet", lambda c: sum(a != b for a, b in zip(c.body, BODY)) == 1 and len(c.body) == SIZE),
    "header field=ETag value=other": ("GET", "/g", True, "quiet", lambda c: b"ETag: other" in c.head and c.body == BODY),
}


def each_fault(proxy):
    for rule, (method, path, reaches, end, holds) in FAULTS.items():
        seen.clear()
        name = rule.split()[0]
        check(proxy.tell(f"arm {rule} target=^{path}$") == "done", f"{rule}: cannot be armed")
        before = proxy.count(name)
        client = Client(proxy).send(method, path, BODY if method == "PUT" else b"").take()
        check(holds(client), f"{rule}: came {client.came[:300]!r} ({len(client.came)} bytes)")
        check(client.end == end, f"{rule}: the connection ends with {client.end}")
        check(bool(seen) == reaches, f"{rule}: the server saw {seen}")
        check(proxy.count(name) == before + 1, f"{rule}: was not counted")
        client.socket.close()
        after = Client(proxy).send(method, "/g").take(60, most=0)
        check(method != "GET" or after.body == BODY, f"{rule}: is not over after once")
        after.socket.close()


def rules_and_verbs(proxy):
    client = Client(proxy).send("PUT", "/p", BODY, "Expect: 100-continue\r\n").take()
    check(client.came.startswith(b"HTTP/1.1 100") and client.came.endswith(b"the same"), f"Expect: came {client.came[:300]!r}")
    proxy.tell("arm answer method=PUT after=1 times=2 code=Third")
    answers = [b"Third" in Client(proxy).send(method, "/p", BODY).take(60, most=0).came for method in ("GET", "PUT", "PUT", "PUT", "PUT")]
    check(answers == [False, False, True, True, False], f"after=1 times=2: {answers}")
    proxy.tell("arm hold")
    client = Client(proxy).send("GET", "/g").take(0.3)
    check(client.came == b"", "hold: something came")
    proxy.tell("release")
    check(GOOD(client.take()), "release: it is still held")
    proxy.tell("arm stall times=-1")
    client = Client(proxy).send("GET", "/g").take(0.3)
    proxy.tell("clear")
    check(client.take().end == "eof", "clear: it still stalls")
    check(GOOD(Client(proxy).send("GET", "/g").take()), "clear: the rule is still there")
    proxy.tell("refuse")
    try:
        Client(proxy)
        check(False, "refuse: it listens")
    except ConnectionRefusedError:
        pass
    proxy.tell("accept")
    check(GOOD(Client(proxy).send("GET", "/g").take()), "accept: it does not serve")
    for line in ("arm nothing", "arm", "hello", "random faults=none share=1"):
        check(proxy.tell(line).startswith("refused: "), f"'{line}' is not refused")


def same_seed(upstream):
    faults = []
    for seed in ("5", "5", "6"):
        proxy = Proxy(upstream, "--seed", seed, "--share", "0.5", "--faults", "reset,close,answer,truncate,garbage")
        for _request in range(20):
            client = Client(proxy).send("GET", "/g").take(60, most=0)
            client.socket.close()
        faults.append(" ".join(sorted(word for word in proxy.tell("report").split() if word.split("=")[0] not in ("connections", "accepted"))))
        proxy.close()
    check(faults[0] == faults[1], f"the same seed gives {faults[0]} and {faults[1]}")
    check(faults[0] != faults[2], f"another seed gives the same: {faults[0]}")
    check("faults=0" not in faults[0], "no fault was drawn")


def main():
    server = QuietServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    upstream = f"http://127.0.0.1:{server.server_address[1]}"
    proxy = Proxy(upstream)
    client = Client(proxy)
    for _again in range(2):  # on one connection
        client.came = b""
        check(GOOD(client.send("GET", "/g").take()), f"without a fault: came {client.came[:300]!r}")
    each_fault(proxy)
    rules_and_verbs(proxy)
    proxy.close()
    same_seed(upstream)
    print(f"{len(FAULTS)} faults, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
