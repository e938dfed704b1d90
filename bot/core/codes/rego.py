"""Room 07, the part of policies in Rego."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.codes.entry import Entry, Files


def _rego(rule: str, head: str = "package main\n") -> Files:
    return {"platform/policies/replicas.rego": f"{head}\n{rule}\n"}


_RULE = 'deny contains "one pod is none" if input.spec.replicas == 1'

ENTRIES: Mapping[str, Entry] = {
    "CW0740": Entry(
        title="a policy in Rego, and nothing that reads it",
        what="A file of `platform/policies` is written in Rego, and no `opa` command is configured.",
        why="A policy that nobody works out guards nothing. Whoever operates the bot sets `opa` to the path of the "
        "command (https://www.openpolicyagent.org/docs/#running-opa); in a terminal `CAUSEWAY_OPA` names it.",
        wrong=_rego(_RULE),
        right={
            "platform/policies/replicas.yaml": "apiVersion: admissionregistration.k8s.io/v1\n"
            "kind: ValidatingAdmissionPolicy\nmetadata: {name: replicas}\nspec: {…}\n"
        },
    ),
    "CW0741": Entry(
        title="a policy in Rego that would judge nothing",
        what="A file in `package main` has neither `deny` nor `warn`, or rules of another name that look like them.",
        why="Only `deny` and `warn` are asked. What is written under another name would guard nothing, and nobody "
        "would notice.",
        wrong=_rego(_RULE.replace("deny", "deny_replicas")),
        right=_rego(_RULE),
    ),
    "CW0742": Entry(
        title="a policy in Rego that OPA does not take",
        what="OPA refuses the file: its syntax, a name that is not there, or a function that is forbidden here, as "
        "`http.send`.",
        why="A verdict that depends on the network, on time or on chance cannot be held against a commit.",
        wrong=_rego('deny contains "asked" if http.send({"method": "get", "url": "https://acme.com"}).status_code'),
        right=_rego(_RULE),
    ),
}
