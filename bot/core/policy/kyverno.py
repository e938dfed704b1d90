"""What a Kyverno ValidatingPolicy may say beyond a ValidatingAdmissionPolicy, and still mean the same here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from bot.core.model.values import Doc, Pointer, Value
from bot.core.policy.kinds import as_map
from bot.core.problem import Problem

_MEANS_THE_SAME: Final[Mapping[Pointer, tuple[Value, ...] | None]] = {
    ("evaluation", "admission", "enabled"): (True,),
    ("evaluation", "background", "enabled"): None,
    ("evaluation", "mode"): ("Kubernetes",),
    ("webhookConfiguration", "timeoutSeconds"): None,
    ("autogen", "podControllers", "controllers"): None,
    ("autogen", "validatingAdmissionPolicy", "enabled"): None,
}
"""Fields of `spec` and the values with which they change nothing here; None: any. Policies on pods are judged on the
pod of every workload, whatever `autogen` lists, since its pods come to the cluster in any case."""


def check_kyverno(doc: Doc, spec: Mapping[str, Value], problems: list[Problem]) -> None:
    """Adds a problem for each field that has a meaning which a review cannot keep."""
    for name in ("evaluation", "webhookConfiguration", "autogen"):
        for at, value in _leaves((name,), spec.get(name)):
            may = _MEANS_THE_SAME.get(at, ())
            if may is not None and value not in may:
                place = doc.at(("spec", *at), key=True)
                field = ".".join(map(str, at))
                problems.append(
                    Problem(
                        doc.path, place.line, place.column, "CW0718", f"`{field}` of Kyverno has no meaning here",
                        "the policy would judge otherwise in a review than Kyverno does in the cluster",
                        f"remove `{field}`, or keep this policy for Kyverno alone",
                    )
                )  # fmt: skip


def _leaves(at: Pointer, value: Value) -> Iterator[tuple[Pointer, Value]]:
    if isinstance(value, Mapping):
        for key in value:
            yield from _leaves((*at, key), as_map(value)[key])
    elif value is not None:
        yield at, value
