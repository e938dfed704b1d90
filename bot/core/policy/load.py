"""From files to a set of policies that judges, or everything that is wrong with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from bot.core.policy.binding import binding_of, kyverno_binding, param_of
from bot.core.policy.documents import Document, documents, each_once, identity, is_policy
from bot.core.policy.kinds import text_of
from bot.core.policy.model import Binding, Param, Policy, PolicySet
from bot.core.policy.policies import policy_of
from bot.core.policy.warnings import warnings
from bot.core.problem import Problem, Refusal

_ENGINE = 1
"""Raised whenever equal files could be judged otherwise than before."""
_UNREAD = ("CW00", "CW0101", "CW0102", "CW0103", "CW0105", "CW0106", "CW0107", "CW0110")
"""Codes of files of which nothing could be read, so that what they hold is not known."""
_NOTHING: Mapping[str, bytes] = {}


def load_policies(files: Mapping[str, bytes], shipped: Mapping[str, bytes] = _NOTHING) -> PolicySet | Refusal:
    """The policies of `files` (path -> content, as they lie below `platform/policies`) and of the `shipped` pack.

    YAML files hold policies, bindings and, below a folder `params`, parameters of any kind; files below a folder
    `cases` are left alone, and those named `*.rego` handed on. A policy of `files` replaces the shipped one of its name
    together with the shipped bindings of it. A Refusal has every problem of every file, by file and line.
    """
    problems: list[Problem] = []
    own = each_once(list(documents(files, False, problems)), problems)
    pack = each_once(list(documents(shipped, True, problems)), problems)
    every = [*own, *_not_replaced(own, pack)]
    kept = {id(one) for one in every}
    replaced = tuple(sorted({_about(one) for one in pack if one.shape != "param" and id(one) not in kept}))
    params = tuple(param_of(one) for one in every if one.shape == "param" and one.sound)
    policies = sorted(_policies(every, params, problems), key=lambda policy: policy.name)
    bindings = _bindings(every, problems)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        return Refusal(tuple(sorted(problems)))
    problems.extend(warnings(policies, bindings, params))
    rego = {path: data for path, data in sorted(files.items()) if path.endswith(".rego")}
    return PolicySet(
        tuple(policies), bindings, params, rego, tuple(sorted(problems)), replaced, _digest(files, shipped),
        dict(files), dict(shipped),
    )  # fmt: skip


def _about(one: Document) -> str:
    """The policy that a document is, or binds."""
    return one.name if is_policy(one) else text_of(one.doc.value, "spec", "policyName")


def _not_replaced(own: Sequence[Document], pack: Sequence[Document]) -> list[Document]:
    """The shipped documents, but those whose name the platform's own files take, and bindings of such policies."""
    names = {identity(one) for one in own}
    policies = {one.name for one in own if is_policy(one)}
    return [
        one for one in pack
        if identity(one) not in names and not (one.shape == "binding" and _about(one) in policies)
    ]  # fmt: skip


def _policies(every: Sequence[Document], params: Sequence[Param], problems: list[Problem]) -> Iterator[Policy]:
    for one in every:
        if is_policy(one):
            made = policy_of(one, params, problems)
            if made is not None:
                yield made


def _bindings(every: Sequence[Document], problems: list[Problem]) -> Mapping[str, tuple[Binding, ...]]:
    names = {one.name for one in every if is_policy(one)}
    unread = any(problem.code.startswith(_UNREAD) for problem in problems)
    found: dict[str, list[Binding]] = {}
    for one in (one for one in every if one.sound):
        if one.shape == "kyverno":
            found.setdefault(one.name, []).append(kyverno_binding(one))
        elif one.shape == "binding":
            binding = binding_of(one, problems)
            found.setdefault(binding.policy, []).append(binding)
            if binding.policy not in names and not unread:
                problems.append(_nothing_bound(one, binding.policy, names))
    return {name: tuple(sorted(found[name], key=lambda binding: binding.name)) for name in sorted(found)}


def _nothing_bound(one: Document, policy: str, names: set[str]) -> Problem:
    place = one.doc.at(("spec", "policyName"))
    near = get_close_matches(policy, sorted(names), n=1)
    return Problem(
        one.doc.path, place.line, place.column, "CW0716", f"there is no policy `{policy}`",
        "the binding puts nothing to work, and nobody would notice",
        f"did you mean `{near[0]}`?" if near else "name a policy of these files, or remove the binding",
    )  # fmt: skip


def _digest(files: Mapping[str, bytes], shipped: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256(b"policies %d\n" % _ENGINE)
    for name, content in ((b"own", files), (b"shipped", shipped)):
        for path in sorted(content):
            data = content[path]
            whole.update(b"%s %d %d\n" % (name, len(path.encode()), len(data)) + path.encode() + data)
    return whole.hexdigest()
