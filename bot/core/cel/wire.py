"""Reads the checker's answer: the protocol buffer `cel.expr.CheckedExpr`, of which only the few fields used here."""

from __future__ import annotations

import struct
from collections import defaultdict
from typing import Final

from bot.core.cel.nodes import Call, Checked, Entry, Items, Literal, Loop, Message, Name, Node, Pairs, Select
from bot.core.cel.values import Runtime, Uint

Fields = dict[int, list["int | bytes"]]
_PRIMITIVES: Final = ("", "bool", "int", "uint", "double", "string", "bytes")
_WELL_KNOWN: Final = ("", "any", "google.protobuf.Timestamp", "google.protobuf.Duration")


def read_checked(data: bytes) -> Checked:
    """The tree of a serialised expression. ValueError where it is not one."""
    whole = _fields(_bytes(_fields(data), 2))
    info = _fields(_bytes(whole, 5))
    return Checked(
        root=_node(_bytes(whole, 4)),
        offsets={_int(pair, 1): _int(pair, 2) for pair in map(_fields, _all(info, 4))},
        types={_int(pair, 1): _type(_bytes(pair, 2)) for pair in map(_fields, _all(whole, 3))},
    )


def _fields(data: bytes) -> Fields:
    found: Fields = defaultdict(list)
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
                found[tag >> 3].append(value)
            case 1:
                found[tag >> 3].append(data[at : at + 8])
                at += 8
            case 2:
                size, at = _varint(data, at)
                found[tag >> 3].append(data[at : at + size])
                at += size
            case other:
                raise ValueError(f"wire type {other} is in no checked expression")
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _all(fields: Fields, number: int) -> list[bytes]:
    return [value for value in fields.get(number, ()) if isinstance(value, bytes)]


def _bytes(fields: Fields, number: int) -> bytes:
    found = _all(fields, number)
    return found[-1] if found else b""


def _text(fields: Fields, number: int) -> str:
    return _bytes(fields, number).decode()


def _int(fields: Fields, number: int) -> int:
    found = fields.get(number)
    return found[-1] if found and isinstance(found[-1], int) else 0


def _node(data: bytes) -> Node:
    fields = _fields(data)
    number = _int(fields, 2)
    if 3 in fields:
        return Literal(number, _constant(_fields(_bytes(fields, 3))))
    if 4 in fields:
        return Name(number, _text(_fields(_bytes(fields, 4)), 1))
    if 5 in fields:
        part = _fields(_bytes(fields, 5))
        return Select(number, _node(_bytes(part, 1)), _text(part, 2), bool(_int(part, 3)))
    if 6 in fields:
        part = _fields(_bytes(fields, 6))
        target = _node(_bytes(part, 1)) if 1 in part else None
        return Call(number, _text(part, 2), target, tuple(map(_node, _all(part, 3))))
    if 7 in fields:
        part = _fields(_bytes(fields, 7))
        return Items(number, tuple(map(_node, _all(part, 1))), _indexes(part))
    if 8 in fields:
        return _pairs(number, _fields(_bytes(fields, 8)))
    if 9 in fields:
        return _loop(number, _fields(_bytes(fields, 9)))
    raise ValueError("a part of the expression is of no known kind")


def _constant(fields: Fields) -> Runtime:
    (kind,) = fields
    if kind == 1:
        return None
    if kind in (6, 7):
        data = _bytes(fields, kind)
        return data.decode() if kind == 6 else data
    if kind == 5:
        return struct.unpack("<d", _bytes(fields, 5))[0]
    value = _int(fields, kind)
    if kind == 2:
        return bool(value)
    if kind == 4:
        return Uint(value)
    return value - 2**64 if value >= 2**63 else value


def _indexes(fields: Fields) -> frozenset[int]:
    found = {value for value in fields.get(2, ()) if isinstance(value, int)}
    for packed in _all(fields, 2):
        at = 0
        while at < len(packed):
            value, at = _varint(packed, at)
            found.add(value)
    return frozenset(found)


def _pairs(number: int, fields: Fields) -> Node:
    entries = [_fields(data) for data in _all(fields, 2)]
    if 1 in fields or any(2 in entry for entry in entries):
        return Message(number, _text(fields, 1))
    return Pairs(
        number,
        tuple(Entry(_node(_bytes(one, 3)), _node(_bytes(one, 4)), bool(_int(one, 5))) for one in entries),
    )


def _loop(number: int, fields: Fields) -> Loop:
    return Loop(
        number,
        first=_text(fields, 1),
        second=_text(fields, 8),
        over=_node(_bytes(fields, 2)),
        sum_name=_text(fields, 3),
        start=_node(_bytes(fields, 4)),
        condition=_node(_bytes(fields, 5)),
        step=_node(_bytes(fields, 6)),
        result=_node(_bytes(fields, 7)),
    )


def _type(data: bytes) -> str:
    fields = _fields(data)
    if 2 in fields:
        return "null_type"
    if 3 in fields:
        return _PRIMITIVES[_int(fields, 3)]
    if 5 in fields:
        return _WELL_KNOWN[_int(fields, 5)]
    if 6 in fields:
        return f"list({_type(_bytes(_fields(_bytes(fields, 6)), 1))})"
    if 7 in fields:
        part = _fields(_bytes(fields, 7))
        return f"map({_type(_bytes(part, 1))}, {_type(_bytes(part, 2))})"
    if 9 in fields:
        return _text(fields, 9)
    if 11 in fields:
        return f"type({_type(_bytes(fields, 11))})"
    if 14 in fields:
        part = _fields(_bytes(fields, 14))
        inner = ", ".join(map(_type, _all(part, 2)))
        return f"{_text(part, 1)}({inner})" if inner else _text(part, 1)
    return "dyn"
