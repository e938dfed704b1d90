"""The phrases of facts: from a raw value to words, and from two values to what changed between them.

Values come from a plan and are plain data of any shape; what does not fit a phrase is shown as it is.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence

from bot.core.model.values import Value
from bot.core.words.amounts import DASH, MINUS, TIMES, about, amount, money, names
from bot.core.words.inline import Line, bold, code, joined, line, own, user

SIZES: Mapping[str, str] = {"s": "small", "m": "medium", "l": "large", "xl": "extra large"}
NONE: Line = (own(DASH),)


def arrow(before: Line, after: Line) -> Line:
    """`before → **after**`."""
    return line(before, " → ", bold(after))


def show(value: Value) -> Line:
    """Any value, without words of its own."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return (own("yes" if value else "no"),)
    if isinstance(value, int):
        return (own(str(value) if abs(value) < 10**18 else "a very large number"),)
    if isinstance(value, str):
        return (code(value),)
    return (code(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)),)


def _map(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: Value) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(item) for item in value) if isinstance(value, Sequence) else ()


def _number(value: Value) -> str | None:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9 else None


def _copies(value: Value) -> str | None:
    low, high = _number(_map(value).get("min")), _number(_map(value).get("max"))
    if low is None or high is None:
        return None
    return low if low == high else f"{low}{DASH}{high}"


def size(value: Value) -> Line:
    value = _map(value).get("name", value) if isinstance(value, Mapping) else value
    if isinstance(value, str):
        return (own(SIZES[value]),) if value in SIZES else (user(value, 40),)
    found = _map(value)
    if "cpu" not in found:
        return show(value)
    return line(user(str(found["cpu"]), 20), " cpu, ", user(str(found.get("memory", "")), 20))


def runs(value: Value) -> Line:
    copies = _copies(value)
    return show(value) if copies is None else line(f"{copies} {TIMES} ", size(_map(value).get("size")))


def runs_change(before: Value, after: Value) -> Line:
    was, now = _copies(before), _copies(after)
    if was is not None and now is not None and _map(before).get("size") == _map(after).get("size"):
        return line(f"{was} → ", bold(now))
    return arrow(runs(before), runs(after))


def _need_parts(value: Value) -> dict[str, Line]:
    """A need's facts as phrases that each stand alone, so that a change can show only those that differ."""
    found = _map(value)
    parts: dict[str, Line] = {}
    if found.get("type"):
        parts["type"] = (user(str(found["type"]), 40),)
    if found.get("version"):
        parts["version"] = (user(str(found["version"]), 40),)
    if found.get("size"):
        parts["size"] = size(found["size"])
    kind = found.get("class")
    if kind and kind != "default":
        parts["class"] = (own("highly available"),) if kind == "ha" else (user(str(kind), 40),)
    if found.get("form") == "kubernetes":
        parts["form"] = (own("in the cluster"),)
    return parts


def need(value: Value) -> Line:
    parts = _need_parts(value)
    if "type" not in parts:
        return show(value)
    head = joined([parts[key] for key in ("type", "version") if key in parts], " ")
    rest = [parts[key] for key in ("size", "class", "form") if key in parts]
    ready = _map(value).get("ready_in")
    tail = line("; ready ", about(str(ready))) if ready else ()
    return line(joined([head, *rest]), tail)


def need_change(before: Value, after: Value) -> Line:
    was, now = _need_parts(before), _need_parts(after)
    words = {"type": "", "version": "version ", "size": "", "class": "", "form": ""}
    other = {"class": (own("single"),), "form": (own("outside the cluster"),)}
    moved = [
        line(said, arrow(was.get(key, other.get(key, NONE)), now.get(key, other.get(key, NONE))))
        for key, said in words.items()
        if was.get(key) != now.get(key)
    ]
    return joined(moved) if moved else arrow(show(before), show(after))


def reached(value: Value) -> Line:
    found = _map(value)
    if not found:
        return show(value)
    callers: list[Line] = [(user(name, 60),) for name in _texts(found.get("callers"))[:6]]
    if found.get("public") is True:
        callers.append((own("the internet"),))
    team = found.get("team")
    if not callers:
        return line("its own team, ", user(team, 60)) if isinstance(team, str) and team else (own("its own team"),)
    return joined(callers)


def reached_change(before: Value, after: Value) -> Line:
    was, now = _map(before), _map(after)
    parts = _set_parts(_texts(was.get("callers")), _texts(now.get("callers")))
    if was.get("public") != now.get("public"):
        parts.append(bold("+ the internet") if now.get("public") is True else (own(f"{MINUS} the internet"),))
    return joined(parts) if parts else arrow(reached(before), reached(after))


def _set_parts(was: tuple[str, ...], now: tuple[str, ...]) -> list[Line]:
    added = [line("+ ", bold(user(name, 60))) for name in now if name not in was]
    return [*added[:6], *[line(f"{MINUS} ", user(name, 60)) for name in was if name not in now][:6]]


def uses(value: Value) -> Line:
    return names(_texts(value)) if _texts(value) else NONE


def uses_change(before: Value, after: Value) -> Line:
    parts = _set_parts(_texts(before), _texts(after))
    return joined(parts) if parts else arrow(uses(before), uses(after))


def routes(value: Value) -> Line:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return show(value)
    shown: list[Line] = []
    for route in list(value)[:4]:
        found = _map(route)
        path = str(found.get("path") or "/")
        address = str(found.get("host", "")) + ("" if path == "/" else path)
        shown.append(line(code(address, 80), " (public)" if found.get("public") is True else ""))
    more = f" and {len(value) - 4} more" if len(value) > 4 else ""
    return line(joined(shown), more) if shown else (own("no address"),)


def command(value: Value) -> Line:
    if value in (None, [], ()):
        return (own("the image's own"),)
    return (code(shlex.join(_texts(value))),) if _texts(value) else show(value)


def secret(value: Value) -> Line:
    path = _map(value).get("path", value) if isinstance(value, Mapping) else value
    return line("secret ", code(path)) if isinstance(path, str) else show(value)


def env(value: Value) -> Line:
    inner = _map(value)
    return show(inner["value"]) if set(inner) == {"value"} else show(value)


def metrics(value: Value) -> Line:
    found = _map(value)
    if "port" not in found:
        return show(value)
    return line(code(str(found.get("path", "/metrics")), 60), " on port ", show(found["port"]))


def health(value: Value) -> Line:
    found = _map(value)
    shown = [line(f"{key} ", code(str(found[key]), 60)) for key in ("ready", "live", "start") if found.get(key)]
    return joined(shown) if shown else (own("the port answers"),) if isinstance(value, Mapping) else show(value)


def stop(value: Value) -> Line:
    grace, drain = _number(_map(value).get("grace")), _number(_map(value).get("drain"))
    if grace is None:
        return show(value)
    return line(f"{grace} s to stop", f", {drain} s to drain" if drain is not None else "")


def slo(value: Value) -> Line:
    found = _map(value)
    shown: list[Line] = []
    if found.get("availability"):
        shown.append(line(user(str(found["availability"]), 12), "\N{NO-BREAK SPACE}% available"))
    if found.get("latency_ms"):
        shown.append(line("answers in ", user(str(found["latency_ms"]), 12), " ms"))
    return joined(shown) if shown else show(value)


def percent(value: Value) -> Line:
    digits = _number(value)
    return show(value) if digits is None else line(f"{digits} % cpu")


def cost(value: Value) -> Line:
    return (own(money(amount(value))),)


def name(value: Value) -> Line:
    return (user(value, 90),) if isinstance(value, str) and value.strip() else show(value)
