"""The parameters that a binding gives to a policy."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.policy.kinds import as_map, text_of
from bot.core.policy.model import Param, ParamKind, ParamRef
from bot.core.policy.selecting import selects

_DEFAULT_NAMESPACE = "default"


def params_for(params: Sequence[Param], kind: ParamKind, ref: ParamRef, namespace: str | None) -> tuple[Param, ...]:
    """Those that `ref` finds, by name and namespace; the object's `namespace` counts where `ref` names none. A
    parameter of a namespaced kind that is written without a namespace lies in `default`, where `kubectl` puts it."""
    wanted = ref.namespace or namespace
    found = [
        param for param in params
        if (param.api_version, param.kind) == (kind.api_version, kind.kind)
        and (not (kind.namespaced or ref.namespace) or (param.namespace or _DEFAULT_NAMESPACE) == wanted)
        and (param.name == ref.name if ref.name is not None else selects(ref.selector or (), _labels(param)))
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda param: (param.namespace or "", param.name)))


def _labels(param: Param) -> dict[str, str]:
    labels = as_map(as_map(param.value.get("metadata")).get("labels"))
    return {key: text_of(labels, key) for key in labels}
