# SPDX-License-Identifier: Apache-2.0
"""Reads every include: none goes up a floor or across one, none reaches into another folder's detail/, none makes a circle."""
import re
import sys

import house

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
SOURCES = "corolith/impl/src.hpp"
EVERYBODYS = {"corolith/core/detail/decl.hpp"}  # the one macro that every floor declares its functions with
MAY_ALSO = {("run", "observe"), ("uring", "coro")}  # on floors 4 and 1


def folder(name):
    """The folder of a header, or "" for what stands on top of all: the umbrellas and the list of sources."""
    parts = name.split("/")
    return "" if len(parts) == 2 or name == SOURCES else parts[1]


def why_not(name, target):
    """What is wrong with `name` including `target`, or None."""
    here, there = folder(name), folder(target)
    if there == "":
        return None if here == "" else "is an umbrella, above every floor"
    if here == there or target in EVERYBODYS:
        return None
    if "/detail/" in target:
        return f"is private to {there}/"
    if "/impl/" in target and name != SOURCES:
        return f"is for the header of {there}/ that it belongs to"
    if here == "" or house.FLOORS[there] < house.FLOORS[here] or (here, there) in MAY_ALSO:
        return None
    return f"is on floor {house.FLOORS[there]}, {here}/ on floor {house.FLOORS[here]}"


def circle(graph):
    """One circle of includes as a list of names, or None."""
    done, path = set(), []

    def visit(name):
        if name in path:
            return path[path.index(name):] + [name]
        if name in done:
            return None
        path.append(name)
        for target in graph[name]:
            found = visit(target)
            if found:
                return found
        path.pop()
        done.add(name)
        return None

    for name in graph:
        found = visit(name)
        if found:
            return found
    return None


def problems_of(root):
    sources = house.headers(root)
    problems, graph = [], {}
    for name in sources:
        if folder(name) not in ("", *house.FLOORS):
            problems.append(f"{name}: its folder stands on no floor")
    known = {n: p for n, p in sources.items() if folder(n) in ("", *house.FLOORS)}
    for name, path in known.items():
        graph[name] = []
        for quote, target in INCLUDE.findall(path.read_text()):
            if quote == '"':
                problems.append(f'{name} includes "{target}": write <corolith/...>')
            if not target.startswith("corolith/"):
                continue
            if target not in known:
                problems.append(f"{name} includes <{target}>, which is not there")
                continue
            reason = why_not(name, target)
            if reason:
                problems.append(f"{name} includes <{target}>, which {reason}")
            graph[name].append(target)

    # An .ipp begins with the header that ends with it: that is no circle.
    for name in graph:
        if name.endswith(".ipp"):
            graph[name] = [target for target in graph[name] if name not in graph[target]]
    found = circle(graph)
    if found:
        problems.append("a circle: " + " -> ".join(found))
    if SOURCES in graph:
        for name in known:
            if name.endswith(".ipp") and graph[SOURCES].count(name) != 1:
                problems.append(f"{SOURCES} includes <{name}> {graph[SOURCES].count(name)} times instead of once")
    return problems


if __name__ == "__main__":
    house.report("includes", problems_of(sys.argv[1]), f"{len(house.headers(sys.argv[1]))} headers keep to their floors")
