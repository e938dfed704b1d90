"""Expressions of a policy, compiled, each with its place and what it reads; or every reason why it cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.cel import CelFault, Program, compile_cel
from bot.core.model.values import Doc, Pointer
from bot.core.policy.model import Expression, Place
from bot.core.policy.places import locator
from bot.core.policy.reading import AUTHORIZER, ROOTS, Known, faults, known_of, pointers_of, types_of
from bot.core.problem import Problem

_DENIES = "an expression that cannot be worked out denies everything that the policy matches"


@dataclass(slots=True)
class Compiler:
    """Compiles the expressions of one document, in the order in which they may refer to each other."""

    doc: Doc
    source: str
    """The file's text with `\\n` line ends."""
    has_params: bool
    problems: list[Problem]
    known: dict[str, Known] = field(default_factory=dict)
    """Variables declared so far."""

    def variable(self, name: str, pointer: Pointer) -> Expression | None:
        """A variable's expression; from here on others may read it."""
        made = self.expression(pointer)
        self.known[name] = known_of(made.program, self.known) if made is not None else Known()
        return made

    def expression(self, pointer: Pointer, *types: str) -> Expression | None:
        """The compiled expression at a place of the document, None where it has problems. `types` are those that its
        result may have, as a cluster demands them of the text itself."""
        text = _at(self.doc, pointer)
        if not isinstance(text, str):
            return None  # the shape is wrong, and that is told
        place, at = locator(self.source, self.doc.path, self.doc.at(pointer), text)
        roots = ROOTS if self.has_params else ROOTS - {"params"}
        program = compile_cel(text, roots, types_of(self.known))
        # What asks for what no review knows has no type that fits either, which would say less.
        plain = compile_cel(text, roots) if isinstance(program, CelFault) else program
        found = faults(plain, self.known) if isinstance(plain, Program) else ()
        for fault in found:
            self._say(at(fault.line, fault.column), fault.code, fault.message, fault.why, fault.fix)
        if isinstance(program, CelFault):
            if not found:
                self._refused(text, program, at(program.line, program.column))
            return None
        reads = tuple(sorted(pointers_of(program, self.known), key=lambda path: tuple(map(str, path))))
        names = {str(one.path[0]) for one in program.reads if one.variable == "variables" and one.path}
        typed = self._typed(program, place, types)
        return Expression(text, program, place, at, tuple(sorted(names)), reads) if typed and not found else None

    def _typed(self, program: Program, place: Place, types: tuple[str, ...]) -> bool:
        if not types or program.type in types:
            return True
        wanted = " or ".join(types)
        self._say(
            place, "CW0713", f"the expression gives {program.type}, not {wanted}",
            "a cluster refuses a policy whose text does not show what comes out",
            "compare it, as in `… == true`" if types == ("bool",) else "convert it with `string(…)`",
        )  # fmt: skip
        return False

    def _refused(self, text: str, fault: CelFault, place: Place) -> None:
        if AUTHORIZER.search(text):
            self._say(
                place, "CW0715", "`authorizer` is not known in a review",
                "who may do what, only a cluster can say", "leave this policy to the cluster alone",
            )  # fmt: skip
        elif fault.function is not None:
            self._say(
                place, "CW0714", f"there is no function `{fault.function}` here: {fault.message}", _DENIES,
                "use a function of the published table of CEL functions, or leave this policy to the cluster alone",
            )  # fmt: skip
        elif "'params'" in fault.message:
            self._say(
                place, "CW0713", "`params` is not there: the policy has no `paramKind`",
                "a cluster refuses such a policy", "add `paramKind` to the policy and `paramRef` to its binding",
            )  # fmt: skip
        else:
            self._say(place, "CW0713", f"the expression cannot be read: {fault.message}", _DENIES,
                      "write CEL as Kubernetes does")  # fmt: skip

    def _say(self, place: Place, code: str, message: str, why: str, fix: str) -> None:
        self.problems.append(Problem(self.doc.path, place.line, place.column, code, message, why, fix))


def _at(doc: Doc, pointer: Pointer) -> object:
    value: object = doc.value
    for part in pointer:
        if isinstance(value, Mapping):
            value = value.get(str(part))
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
        else:
            return None
    return value
