# SPDX-License-Identifier: Apache-2.0
"""What another user of the machine may try. Prints a line for all that worked and should not have; the exit status tells too.

  stranger.py files PATH...         open, list, write, connect
  stranger.py processes PID...      look into, trace, signal
  stranger.py network HOST PORT     speak to a driver in all tongues but the right one
  stranger.py idle HOST PORT COUNT  connect and say nothing, until all were sent away
  stranger.py replay HOST PORT      stand between an agent and its driver, then say again what the agent said
"""
import ctypes
import os
import random
import select
import signal
import socket
import ssl
import sys
import time

broken = []


def must_fail(what, action):
    try:
        action()
    except (OSError, ssl.SSLError):
        return
    broken.append(what)
    print("a stranger can", what, flush=True)


def connect(host, port):
    return socket.create_connection((host, port), timeout=60)


def sent_away(peer, what):
    """The peer closes. What it said before may be an alert, and no more."""
    said = b""
    try:
        while True:
            got = peer.recv(65536)
            if not got:
                break
            said += got
    except ConnectionError:
        pass
    except socket.timeout:
        broken.append(what)
        print("a stranger is let in:", what, flush=True)
    if b"COROLITH" in said:
        broken.append(what)
        print("the driver introduces itself to a stranger:", what, flush=True)
    return said


def files(paths):
    for path in paths:
        must_fail("read " + path, lambda: open(path, "rb").read(1))
        must_fail("write " + path, lambda: open(path, "ab"))
        must_fail("list " + path, lambda: os.listdir(path))
        must_fail("make a file in " + path, lambda: open(path + "/new", "wb"))
        must_fail("remove " + path, lambda: os.rename(path, path + ".gone"))
        local = socket.socket(socket.AF_UNIX)
        must_fail("connect to " + path, lambda: local.connect(path))


def processes(pids):
    libc = ctypes.CDLL(None, use_errno=True)

    def trace(pid):
        if libc.ptrace(16, pid, None, None) != 0:  # PTRACE_ATTACH
            raise OSError(ctypes.get_errno(), "ptrace")

    for pid in map(int, pids):
        for name in ("environ", "mem", "maps", "syscall", "stack"):
            must_fail("read /proc/%d/%s" % (pid, name), lambda: open("/proc/%d/%s" % (pid, name), "rb").read(1))
        must_fail("list the descriptors of %d" % pid, lambda: os.listdir("/proc/%d/fd" % pid))
        for fd in range(16):
            must_fail("open descriptor %d of %d" % (fd, pid), lambda: open("/proc/%d/fd/%d" % (pid, fd), "rb"))
        must_fail("trace %d" % pid, lambda: trace(pid))
        must_fail("signal %d" % pid, lambda: os.kill(pid, signal.SIGTERM))
        handle = libc.syscall(434, pid, 0)  # pidfd_open may work, pidfd_getfd must not
        if handle >= 0 and any(libc.syscall(438, handle, fd, 0) >= 0 for fd in range(16)):
            broken.append("steal descriptors")
            print("a stranger can take descriptors of", pid, flush=True)


def preamble(role):
    return b"COROLITH" + bytes([1, 0, role, 0]) + bytes(52)


def network(host, port):
    rng = random.Random(7)
    for what, text in {
        "random bytes": rng.randbytes(100000),
        "random bytes in a TLS record": b"\x16\x03\x01\x40\x00" + rng.randbytes(16384),
        "a web client": b"GET / HTTP/1.1\r\nHost: driver\r\n\r\n",
        "an agent without TLS": preamble(2) + rng.randbytes(2000),
        "half a TLS record": b"\x16\x03\x01\x40\x00" + bytes(100),
    }.items():
        peer = connect(host, port)
        try:
            peer.sendall(text)
            if what != "half a TLS record":
                peer.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass
        sent_away(peer, what)
    for what, newest in {"TLS 1.2": ssl.TLSVersion.TLSv1_2, "TLS 1.3 without the secret": ssl.TLSVersion.TLSv1_3}.items():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = newest
        must_fail("speak to a driver with " + what, lambda: context.wrap_socket(connect(host, port)).sendall(preamble(2)))


def idle(host, port, count):
    peers = [connect(host, port) for _ in range(count)]
    print("connected", flush=True)
    left = {peer.fileno(): peer for peer in peers}
    waiting = select.poll()
    for fd in left:
        waiting.register(fd, select.POLLIN)
    until = time.monotonic() + 60
    while left and time.monotonic() < until:
        for fd, _ in waiting.poll(1000):
            waiting.unregister(fd)
            left.pop(fd).close()
    if left:
        broken.append("idle")
        print(len(left), "idle strangers are still connected", flush=True)


def replay(host, port):
    """Relays one connection and records it. When it ended, plays the agent's part once more."""
    waiting = socket.create_server(("127.0.0.1", 0))
    print(waiting.getsockname()[1], flush=True)
    client, _ = waiting.accept()
    server = connect(host, port)
    said, heard = [], []
    open_ends = {client: server, server: client}
    while open_ends:
        for end in select.select(list(open_ends), [], [])[0]:
            try:
                got = end.recv(65536)
            except ConnectionError:
                got = b""
            if not got:
                other = open_ends.pop(end)
                try:
                    other.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                continue
            if end is client:
                said.append(got)
            else:
                heard.append(got)
            try:
                open_ends[end].sendall(got)
            except OSError:
                pass
    print("recorded", sum(map(len, said)), sum(map(len, heard)), flush=True)
    if b"COROLITH" in b"".join(said) + b"".join(heard):
        broken.append("plain text")
        print("the relay can read what it relays", flush=True)
    for slowly in (False, True):
        peer = connect(host, port)
        try:
            for part in said:
                peer.sendall(part)
                if slowly:  # as the agent did: each part after an answer, or what would be one
                    peer.settimeout(0.2)
                    try:
                        peer.recv(65536)
                    except socket.timeout:
                        pass
        except ConnectionError:
            pass
        peer.settimeout(60)
        sent_away(peer, "the agent's words once more")


what, rest = sys.argv[1], sys.argv[2:]
if what == "files":
    files(rest)
elif what == "processes":
    processes(rest)
elif what == "network":
    network(rest[0], int(rest[1]))
elif what == "idle":
    idle(rest[0], int(rest[1]), int(rest[2]))
elif what == "replay":
    replay(rest[0], int(rest[1]))
print("done", flush=True)
sys.exit(1 if broken else 0)
