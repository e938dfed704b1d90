"""Random expressions of CEL, most of them well formed, and an object for them to look at."""

from __future__ import annotations

from random import Random

from bot.core.model.values import Value

OBJECT: Value = {
    "a": [1, 2, 3], "s": "abc", "labels": {"app": "web", "tier": "1"}, "none": [], "map": {}, "zero": 0, "no": False,
    "spec": {
        "r": 1, "n": None, "f": 1.5, "t": True, "list": [{"name": "x", "v": 3}, {"name": "y"}], "cpu": "500m",
        "mem": "1Gi", "url": "https://u:p@example.com:8080/a b?x=1&y=2", "ip": "10.0.0.1", "net": "10.0.0.0/8",
        "image": "docker.io/lib/nginx:1.25",
    },
}  # fmt: skip

PATHS = (
    "object", "object.a", "object.s", "object.labels", "object.labels.app", "object.none", "object.map", "object.zero",
    "object.no", "object.spec", "object.spec.r", "object.spec.n", "object.spec.f", "object.spec.t", "object.spec.list",
    "object.spec.cpu", "object.spec.mem", "object.spec.url", "object.spec.ip", "object.spec.net", "object.spec.image",
    "object.nothing", "object.spec.nothing",
)  # fmt: skip
LITERALS = (
    "0", "1", "-1", "2", "1.5", "0.0", "'a'", "'abc'", "''", "'1'", "'500m'", "'10.0.0.0/8'", "'1.2.3'", "true",
    "false", "null", "[]", "{}", "[1, 2]", "['a', 'b']", "{'a': 1}", "1u", "b'a'", "duration('1h')", "'^a.*'",
    "timestamp('2020-01-01T00:00:00Z')", "9223372036854775807", "'\\u0000'",
)  # fmt: skip
OPERATORS = ("+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||")
CALLS = (
    "{0}.size()", "size({0})", "{0}.lowerAscii()", "{0}.trim()", "{0}.isSorted()", "{0}.sum()", "{0}.min()",
    "{0}.first()", "{0}.hasValue()", "{0}.value()", "{0}.asInteger()", "{0}.getHost()", "{0}.getQuery()",
    "{0}.family()", "{0}.masked()", "{0}.major()", "{0}.join()", "{0}.getHours()", "-{0}", "!{0}", "int({0})",
    "double({0})", "string({0})", "bool({0})", "type({0})", "dyn({0})", "quantity({0})", "isQuantity({0})",
    "url({0})", "ip({0})", "cidr({0})", "semver({0})", "optional.of({0})", "duration({0})", "timestamp({0})",
    "format.dns1123Label().validate({0})", "{0}.contains({1})", "{0}.startsWith({1})", "{0}.matches({1})",
    "{0}.indexOf({1})", "{0}.split({1})", "{0}.substring({1})", "{0}.find({1})", "{0}.findAll({1})", "{0}.add({1})",
    "{0}.compareTo({1})", "{0}.isLessThan({1})", "{0}.containsIP({1})", "{0}.orValue({1})", "{0}[{1}]", "{0}[?{1}]",
    "sets.contains({0}, {1})", "{0}.replace({1}, {1})", "{0} ? {1} : {0}", "'%s %d|%s'.format([{0}, {1}, {0}])",
    "[{0}, {1}]", "{{'a': {0}, 'b': {1}}}", "{0}.?r", "{0}.nothing", "has({0}.app)", "nothing({0})", "{0}.nothing({1})",
)  # fmt: skip
LOOPS = (
    "{0}.all({v}, {1})", "{0}.exists({v}, {1})", "{0}.exists_one({v}, {1})", "{0}.map({v}, {1})",
    "{0}.filter({v}, {1})", "{0}.all(i, {v}, {1})", "{0}.transformMap(i, {v}, {1})", "{0}.optMap({v}, {1})",
)  # fmt: skip


def expression(random: Random, depth: int, names: tuple[str, ...] = ()) -> str:
    """One expression, at most so deep."""
    kind = random.random()
    if depth <= 0 or kind < 0.2:
        return random.choice((*names * 3, *PATHS) if random.random() < 0.6 else (*names * 3, *LITERALS))
    if kind < 0.45:
        one, two = expression(random, depth - 1, names), expression(random, depth - 1, names)
        return f"({one} {random.choice(OPERATORS)} {two})"
    if kind < 0.6:
        name = random.choice("xyz")
        over, step = expression(random, depth - 1, names), expression(random, depth - 1, (*names, name))
        return random.choice(LOOPS).format(over, step, v=name)
    return random.choice(CALLS).format(expression(random, depth - 1, names), expression(random, depth - 1, names))


def broken(random: Random, text: str) -> str:
    """The text with a few characters taken out or put in."""
    for _ in range(random.randint(1, 3)):
        at = random.randint(0, len(text))
        text = (
            text[:at] + random.choice(("", "(", "'", ")", ".", "\0", "\n", "é", "[", "?", "@", "\\")) + text[at + 1 :]
        )
    return text
