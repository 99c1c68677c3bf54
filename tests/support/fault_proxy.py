#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fault_proxy.py [OPTIONS] UPSTREAM [-- COMMAND...]: an HTTP proxy on loopback that stands before a server and does what a server cannot be
made to do. UPSTREAM is http://HOST:PORT. It prints 'endpoint=... seed=...' and then obeys lines of standard input, each answered by one line;
it ends with standard input. With a COMMAND it runs that instead, with S3_TEST_ENDPOINT as its own endpoint and S3_TEST_DIRECT_ENDPOINT as that
behind it, and has its exit status.
  --share X             so many of the requests meet a random fault (0 to 1)          --faults A,B,..  of these; all of RANDOM otherwise
  --seed N              what is random depends on this and the number of the request  --log FILE       a line for each fault
  --certificate FILE --key FILE     speaks TLS to its clients
Lines:
  arm FAULT [NAME=VALUE...]     the next request that fits meets the fault: method=GET, target=REGEX (path and query), after=N (lets N pass),
                                times=N (-1: all), and what the fault takes
  random share=X [faults=A,B]   as --share
  clear                         no faults any more, and whatever stalls is let go on or closed
  release                       lets go on what is held
  refuse | accept               closes the listening socket; opens it again at the same port
  report                        connections=(open) accepted= requests= faults= and the number of each fault
Faults before the request goes on to the server, which never sees it:
  answer status=503 code=SlowDown retry_after= header=Name:value   an error as S3 writes them; early=1: before the body is read
  reset | close at=0            after that share of the body of the request
  stall                         reads the request, says nothing more
  stall_upload at=0.5           stops reading
  garbage | bad_head | endless_head lines=65536     for an answer, lines of 1 KB
  error_in_200 code=InternalError       the status says it went well, the body says it did not
Faults after the server has done what it was asked for:
  lost_answer                   closes instead of answering
  hold | slow_first_byte seconds=5      waits before the answer
  truncate | reset_body | stall_body at=0.5     after that share of the body
  drip bytes=1024 pause=0.02    a slow body           split   head and body in small pieces
  long_length by=7 | short_length by=7  Content-Length says another length
  chunked | chunked_truncate at=0.5     in chunks of many sizes
  until_close                   without a length      close_after   as if the connection were kept, then closes
  garbage_xml                   XML replaced by noise informational an answer 102 before it
  corrupt at=0.5                one bit of the body is another      header field=ETag value=x  another header
"""
import argparse
import collections
import os
import random
import re
import select
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

PIECE = 256 * 1024
LONGEST_STALL = 120  # seconds; for clients that would wait for ever
BEFORE = ("answer", "early_answer", "reset", "close", "stall", "stall_upload", "garbage", "endless_head", "bad_head")
AFTER = ("lost_answer", "slow_first_byte", "truncate", "reset_body", "stall_body", "drip", "split", "long_length", "short_length", "chunked",
         "chunked_truncate", "close_after", "garbage_xml", "informational")
OF_BODIES = ("truncate", "reset_body", "stall_body", "long_length", "short_length", "corrupt", "drip", "until_close", "chunked",
             "chunked_truncate")
RANDOM = BEFORE + AFTER
ALL = RANDOM + ("error_in_200", "hold", "until_close", "corrupt", "header")


class Gone(Exception):
    """This connection is over: a side closed it, or a fault did."""


class Stream:
    """A socket, and what was read of it too early."""

    def __init__(self, sock):
        self.socket, self.rest = sock, b""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def receive(self, most=PIECE):
        try:
            data = self.socket.recv(most)
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        return data

    def some(self, most):
        if not self.rest:
            return self.receive(min(most, PIECE))
        data, self.rest = self.rest[:most], self.rest[most:]
        return data

    def head(self):
        """The bytes of a head with the empty line."""
        while (end := self.rest.find(b"\r\n\r\n")) < 0:
            self.rest += self.receive()
        data, self.rest = self.rest[:end + 4], self.rest[end + 4:]
        return data

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Gone from error

    def waits(self):
        return bool(self.rest) or (isinstance(self.socket, ssl.SSLSocket) and self.socket.pending() > 0)

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def until_closed(self, enough):
        """Waits until the other side has closed, though it may have sent more, or enough() says so."""
        poll = select.poll()
        poll.register(self.socket, select.POLLRDHUP)
        end = time.monotonic() + LONGEST_STALL
        while time.monotonic() < end and not enough():
            if poll.poll(50):
                break


class Head:
    def __init__(self, raw):
        first, *lines = raw[:-4].decode("latin-1").split("\r\n")
        self.first, self.fields = first, [line.partition(":")[::2] for line in lines]

    def get(self, name):
        return next((value.strip() for key, value in self.fields if key.lower() == name.lower()), None)

    def set(self, name, value):
        self.fields = [(key, old) for key, old in self.fields if key.lower() != name.lower()]
        if value is not None:
            self.fields.append((name, f" {value}"))

    def raw(self):
        return "\r\n".join([self.first, *(f"{key}:{value}" for key, value in self.fields), "", ""]).encode("latin-1")

    @property
    def status(self):
        return int(self.first.split()[1])


class Body:
    """What follows a head: its bytes as they come, chunks with their frames."""

    def __init__(self, stream, head, none=False, until_close=False):
        self.stream, self.length, self.buffer = stream, 0, b""
        self.chunked = not none and "chunked" in (head.get("Transfer-Encoding") or "").lower()
        self.until_close = not none and not self.chunked and until_close and head.get("Content-Length") is None
        if not none and not self.chunked and not self.until_close:
            self.length = int(head.get("Content-Length") or 0)
        self.left, self.done = self.length, not (self.chunked or self.until_close or self.length)

    def some(self):
        if self.chunked:
            return self.chunk()
        if self.until_close:
            try:
                return self.stream.some(PIECE)
            except Gone:
                self.done = True
                return b""
        data = self.stream.some(self.left)
        self.left -= len(data)
        self.done = self.left == 0
        return data

    def chunk(self):
        """One chunk with its frame; the last one with its trailer."""
        while b"\r\n" not in self.stream.rest:
            self.stream.rest += self.stream.receive()
        size = int(self.stream.rest.split(b"\r\n")[0].split(b";")[0], 16)
        if size == 0:
            self.done = True
            if self.stream.rest.startswith(b"0\r\n\r\n"):
                self.stream.rest = self.stream.rest[5:]
                return b"0\r\n\r\n"
            return self.stream.head()
        whole = self.stream.rest.index(b"\r\n") + 2 + size + 2
        while len(self.stream.rest) < whole:
            self.stream.rest += self.stream.receive()
        data, self.stream.rest = self.stream.rest[:whole], self.stream.rest[whole:]
        return data

    def pieces(self):
        while not self.done:
            yield self.some()

    def whole(self, head):
        """What came in chunks as one piece with a length; for answers that are short."""
        data = b""
        while not self.done:
            chunk = self.some()
            data += chunk[chunk.index(b"\r\n") + 2:-2] if not self.done else b""
        head.set("Transfer-Encoding", None)
        head.set("Content-Length", len(data))
        return Whole(data)


class Whole:
    """A body that is there already."""
    until_close = False

    def __init__(self, data):
        self.data, self.length, self.done = data, len(data), not data

    def some(self):
        self.done = True
        return self.data

    def pieces(self):
        return [self.some()] if not self.done else []


class Fault:
    def __init__(self, name, **values):
        self.name, self.values = name, values
        self.dice, self.drawn = None, False  # what is random in it; whether it is itself
        self.after, self.times = int(values.pop("after", 0)), int(values.pop("times", 1))
        self.method, self.target = values.pop("method", None), re.compile(values.pop("target", ""))

    def fits(self, method, target):
        return self.times != 0 and self.method in (None, method) and self.target.search(target) is not None

    def number(self, name, otherwise):
        return float(self.values.get(name, otherwise))


def allowed(name, method, target):
    """Whether a random fault leaves a client a way to do it right."""
    if method == "POST" and re.search(r"[?&]uploads\b", target):  # who does not get that answer cannot know what to clean up
        return name in BEFORE
    # A whole object that is said to be shorter than it is cannot be told from a short object.
    return name != "short_length" or method == "GET"


class Plan:
    """Which fault which request meets."""

    def __init__(self, seed):
        self.seed, self.share, self.faults = seed, 0.0, RANDOM
        self.rules, self.lock = [], threading.Lock()
        self.counts = collections.Counter()
        self.requests = self.clearings = self.releases = 0

    def next(self, method, target):
        with self.lock:
            self.requests += 1
            for rule in self.rules:
                if not rule.fits(method, target):
                    continue
                if rule.after > 0:
                    rule.after -= 1
                    continue
                rule.times -= 1
                rule.dice = random.Random(f"{self.seed}:{self.requests}")
                return rule
            return self.drawn(random.Random(f"{self.seed}:{self.requests}"), method, target)

    def drawn(self, dice, method, target):
        if dice.random() >= self.share:
            return None
        possible = [name for name in self.faults if allowed(name, method, target)]
        if not possible:
            return None
        values = {"at": dice.random(), "seconds": 0.05 + dice.random(), "by": dice.randrange(1, 100), "bytes": dice.randrange(1000, 20000)}
        if values["at"] < 0.1:
            values["at"] = 0
        fault = Fault(dice.choice(possible), **values)
        fault.dice, fault.drawn = dice, True
        return fault

    def clear(self):
        with self.lock:
            self.rules, self.share = [], 0.0
            self.clearings += 1


def error_body(code):
    return (f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>by the proxy</Message>'
            "<RequestId>fault-proxy</RequestId></Error>").encode()


class Connection:
    """One client, one connection to the server behind."""

    def __init__(self, proxy, client):
        self.proxy, self.plan, self.client = proxy, proxy.plan, Stream(client)
        self.server = None

    def run(self):
        try:
            while True:
                self.exchange()
        except (Gone, ValueError):
            pass
        finally:
            for side in (self.client, self.server):
                if side is not None:
                    side.socket.close()

    def exchange(self):
        raw = self.client.head()
        request = Head(raw)
        method, target = request.first.split()[:2]
        body = Body(self.client, request)
        fault = self.plan.next(method, target)
        name = fault.name if fault else None
        if name in BEFORE or name == "error_in_200":
            self.hit(fault, method, target)
            return getattr(self, name)(request, body, fault)
        if self.server is None:
            try:
                self.server = Stream(socket.create_connection(self.proxy.upstream))
            except OSError as error:
                raise Gone from error
        self.server.send(raw)
        answer = self.forward(body)
        reply = Body(self.server, answer, none=method == "HEAD" or answer.status in (204, 304), until_close=True)
        whole = body.done
        self.reply(answer, reply, fault, method, target)
        if not whole or reply.until_close or (answer.get("Connection") or "").lower() == "close":
            raise Gone
        return None

    def forward(self, body):
        """Moves the body of the request, and gives the head of the final answer, which may come first."""
        while True:
            if not self.server.waits():
                if not body.done and self.client.waits():
                    self.server.send(body.some())
                    continue
                ready = select.select([self.server.socket] + ([] if body.done else [self.client.socket]), [], [])[0]
                if self.server.socket not in ready:
                    self.server.send(body.some())
                    continue
            head = Head(self.server.head())
            if head.status >= 200:
                return head
            self.client.send(head.raw())

    def hit(self, fault, method, target):
        with self.plan.lock:
            self.plan.counts[fault.name] += 1
        self.proxy.note(f"{fault.name} {method} {target} {fault.values}")

    # --- before the server ---------------------------------------------------------------------------------------------------------------
    @staticmethod
    def take(body, share=1.0):
        """Reads that share of the body."""
        wanted = int(body.length * share)
        while not body.done and (share >= 1 or body.length - body.left < wanted):
            body.some()

    def continued(self, request):
        if request.get("Expect") is not None:
            self.client.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def answer(self, request, body, fault):
        early = fault.number("early", 0) != 0
        if not early:
            self.continued(request)
            self.take(body)
        status, code = int(fault.values.get("status", 503)), fault.values.get("code", "SlowDown")
        text = b"" if request.first.startswith("HEAD ") else error_body(code)
        lines = [f"HTTP/1.1 {status} {code}", "Content-Type: application/xml", f"Content-Length: {len(text)}"]
        if "retry_after" in fault.values:
            lines.append(f"Retry-After: {fault.values['retry_after']}")
        if "header" in fault.values:
            lines.append(fault.values["header"])
        if early:
            lines.append("Connection: close")
        self.client.send("\r\n".join([*lines, "", ""]).encode() + text)
        if early:  # what still comes is read, else the kernel resets the connection and the answer is lost
            self.client.socket.shutdown(socket.SHUT_WR)
            self.take(body)
            raise Gone

    def early_answer(self, request, body, fault):
        fault.values["early"] = 1
        self.answer(request, body, fault)

    def error_in_200(self, request, body, fault):
        self.continued(request)
        self.take(body)
        text = error_body(fault.values.get("code", "InternalError"))
        self.client.send(f"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text)

    def partly(self, request, body, fault, otherwise):
        if body.length and fault.number("at", otherwise) > 0:
            self.continued(request)
            self.take(body, fault.number("at", otherwise))

    def reset(self, request, body, fault):
        self.partly(request, body, fault, 0)
        self.client.reset()

    def close(self, request, body, fault):
        self.partly(request, body, fault, 0)
        raise Gone

    def stall(self, request, body, fault):
        self.continued(request)
        self.take(body)
        self.quiet()

    def stall_upload(self, request, body, fault):
        self.partly(request, body, fault, 0.5)
        self.quiet()

    def quiet(self):
        before = self.plan.clearings
        self.client.until_closed(lambda: self.plan.clearings != before)
        raise Gone

    def garbage(self, request, body, fault):
        self.continued(request)
        self.take(body)
        self.client.send(fault.dice.randbytes(4096))
        raise Gone

    def bad_head(self, request, body, fault):
        self.continued(request)
        self.take(body)
        self.client.send(fault.dice.choice([
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 12x\r\n\r\nabcdefghijkl",
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde", b"HTTP/1.1 99999 \r\n\r\n", b"HTTP/3.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nx", b"SSH-2.0-OpenSSH_9.2\r\n", b"\r\n\r\n", b"\0" * 100]))
        raise Gone

    def endless_head(self, request, body, fault):
        self.continued(request)
        self.take(body)
        self.client.send(b"HTTP/1.1 200 OK\r\n")
        for number in range(int(fault.number("lines", 64 * 1024))):
            self.client.send(f"x-noise-{number}: {'x' * 1000}\r\n".encode())
        raise Gone

    # --- after the server ----------------------------------------------------------------------------------------------------------------
    def reply(self, head, body, fault, method, target):
        name = fault.name if fault else None
        if name in OF_BODIES and not body.length and getattr(body, "chunked", False):
            body = body.whole(head)
        if name in OF_BODIES and not body.length:
            name = None  # there is no body to do it with
        if name == "short_length" and head.status != 206 and fault.drawn:
            name = None  # see allowed()
        if name == "garbage_xml" and "xml" not in (head.get("Content-Type") or ""):
            name = None
        if name is not None:
            self.hit(fault, method, target)
        getattr(self, f"reply_{name}", self.reply_plainly)(head, body, fault)

    def reply_plainly(self, head, body, _fault):
        self.client.send(head.raw())
        for piece in body.pieces():
            self.client.send(piece)

    def reply_lost_answer(self, _head, body, _fault):
        for _piece in body.pieces():
            pass
        raise Gone

    def reply_hold(self, head, body, fault):
        before = self.plan.releases, self.plan.clearings
        self.client.until_closed(lambda: (self.plan.releases, self.plan.clearings) != before)
        self.reply_plainly(head, body, fault)

    def reply_slow_first_byte(self, head, body, fault):
        end, before = time.monotonic() + fault.number("seconds", 5), self.plan.clearings
        self.client.until_closed(lambda: time.monotonic() > end or self.plan.clearings != before)
        self.reply_plainly(head, body, fault)

    def part(self, head, body, fault):
        """Sends the head and a share of the body."""
        self.client.send(head.raw())
        left = int(body.length * fault.number("at", 0.5))
        while left > 0:
            piece = body.some()[:left]
            left -= len(piece)
            self.client.send(piece)

    def reply_truncate(self, head, body, fault):
        self.part(head, body, fault)
        raise Gone

    def reply_reset_body(self, head, body, fault):
        self.part(head, body, fault)
        self.client.reset()

    def reply_stall_body(self, head, body, fault):
        self.part(head, body, fault)
        self.quiet()

    def reply_drip(self, head, body, fault):
        size, pause, before = int(fault.number("bytes", 1024)), fault.number("pause", 0.02), self.plan.clearings
        self.client.send(head.raw())
        for piece in body.pieces():
            for at in range(0, len(piece), size):
                self.client.send(piece[at:at + size])
                if self.plan.clearings == before:
                    time.sleep(pause)

    def reply_split(self, head, body, fault):
        raw = head.raw()
        for at in range(len(raw)):
            self.client.send(raw[at:at + 1])
        budget = 2000  # small pieces; what is large goes on in larger ones
        for piece in body.pieces():
            at = 0
            while at < len(piece):
                size = fault.dice.randrange(1, 8) if budget > 0 else fault.dice.randrange(1, 64 * 1024)
                budget -= 1
                self.client.send(piece[at:at + size])
                at += size

    def reply_long_length(self, head, body, fault):
        head.set("Content-Length", body.length + int(fault.number("by", 7)))
        self.reply_plainly(head, body, fault)
        raise Gone

    def reply_short_length(self, head, body, fault):
        head.set("Content-Length", max(0, body.length - int(fault.number("by", 7))))
        self.reply_plainly(head, body, fault)

    def chunks(self, head, body, fault, most):
        head.set("Content-Length", None)
        head.set("Transfer-Encoding", "chunked")
        self.client.send(head.raw())
        for piece in body.pieces():
            at = 0
            while at < len(piece):
                data = piece[at:at + fault.dice.choice((1, 17, 4096, 65536, PIECE))][:most]
                self.client.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                at, most = at + len(data), most - len(data)
                if most <= 0:
                    raise Gone

    def reply_chunked(self, head, body, fault):
        self.chunks(head, body, fault, body.length + 1)
        self.client.send(b"0\r\n\r\n")

    def reply_chunked_truncate(self, head, body, fault):
        self.chunks(head, body, fault, max(1, int(body.length * fault.number("at", 0.5))))
        raise Gone

    def reply_until_close(self, head, body, fault):
        head.set("Content-Length", None)
        head.set("Connection", "close")
        self.reply_plainly(head, body, fault)
        raise Gone

    def reply_close_after(self, head, body, fault):
        self.reply_plainly(head, body, fault)
        raise Gone

    def reply_garbage_xml(self, head, body, fault):
        length = sum(len(piece) for piece in body.pieces())
        head.set("Transfer-Encoding", None)
        head.set("Content-Length", length)
        self.client.send(head.raw() + fault.dice.randbytes(length))

    def reply_informational(self, head, body, fault):
        self.client.send(b"HTTP/1.1 102 Processing\r\nx-a: b\r\n\r\n")
        self.reply_plainly(head, body, fault)

    def reply_corrupt(self, head, body, fault):
        self.client.send(head.raw())
        at = min(body.length - 1, int(body.length * fault.number("at", 0.5)))
        for piece in body.pieces():
            if 0 <= at < len(piece):
                piece = piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1:]
            at -= len(piece)
            self.client.send(piece)

    def reply_header(self, head, body, fault):
        head.set(fault.values["field"], fault.values.get("value"))
        self.reply_plainly(head, body, fault)


class Proxy:
    def __init__(self, options):
        host, _, port = options.upstream.partition("://")[2].rstrip("/").rpartition(":")
        self.upstream = (host, int(port))
        self.plan = Plan(options.seed)
        self.lock, self.open, self.accepted, self.port = threading.Lock(), 0, 0, 0
        self.log = open(options.log, "a", encoding="utf-8") if options.log else None
        self.tls = None
        if options.certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(options.certificate, options.key)
        self.accept()

    @property
    def endpoint(self):
        return f"https://localhost:{self.port}" if self.tls else f"http://127.0.0.1:{self.port}"

    def note(self, text):
        if self.log:
            with self.lock:
                print(f"{time.strftime('%H:%M:%S')} {text}", file=self.log, flush=True)

    def accept(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(1024)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.listen, args=(self.listener,), daemon=True).start()

    def refuse(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def listen(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.accepted += 1
                self.open += 1
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            if self.tls:
                client = self.tls.wrap_socket(client, server_side=True)
            Connection(self, client).run()
        except OSError:
            client.close()
        finally:
            with self.lock:
                self.open -= 1

    def report(self):
        with self.lock, self.plan.lock:
            counts = dict(connections=self.open, accepted=self.accepted, requests=self.plan.requests, faults=sum(self.plan.counts.values()),
                          **self.plan.counts)
        return " ".join(f"{name}={count}" for name, count in counts.items())

    def set_random(self, share, faults=None):
        names = tuple(faults.split(",")) if faults else RANDOM
        for name in names:
            if name not in ALL:
                raise ValueError(f"there is no fault '{name}'")
        with self.plan.lock:
            self.plan.share, self.plan.faults = float(share), names

    def obey(self, line):
        """One line of those above; what it answers."""
        verb, *words = line.split()
        if verb == "arm":
            name, values = words[0], dict(word.split("=", 1) for word in words[1:])
            if name not in ALL:
                raise ValueError(f"there is no fault '{name}'")
            with self.plan.lock:
                self.plan.rules.append(Fault(name, **values))
        elif verb == "random":
            self.set_random(**dict(word.split("=", 1) for word in words))
        elif verb == "release":
            self.plan.releases += 1
        elif verb in ("clear", "refuse", "accept"):
            getattr(self.plan if verb == "clear" else self, verb)()
        elif verb == "report":
            return self.report()
        else:
            raise ValueError(f"what is '{verb}'?")
        return "done"


def main():
    arguments, command = sys.argv[1:], []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, command = arguments[:at], arguments[at + 1:]
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("upstream")
    parser.add_argument("--share", default="0")
    parser.add_argument("--faults")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--log")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    options = parser.parse_args(arguments)
    proxy = Proxy(options)
    proxy.set_random(options.share, options.faults)
    if command:
        print(f"fault_proxy: seed {options.seed}", file=sys.stderr)
        known = dict(os.environ, S3_TEST_ENDPOINT=proxy.endpoint, S3_TEST_DIRECT_ENDPOINT=options.upstream)
        status = subprocess.call(command, env=known)
        print(f"fault_proxy: {proxy.report()}", file=sys.stderr)
        sys.stderr.flush()
        os._exit(status if status >= 0 else 128 - status)
    print(f"endpoint={proxy.endpoint} seed={options.seed}", flush=True)
    for line in sys.stdin:
        try:
            print(proxy.obey(line), flush=True)
        except (ValueError, IndexError, TypeError, OSError, re.error) as error:
            print(f"refused: {error}", flush=True)
    os._exit(0)  # whatever its threads are waiting for


if __name__ == "__main__":
    main()
