"""What `causeway policy` reads: policies by path or by the name of a shipped one, objects, and cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from bot.cli.desk import USAGE, Stop
from bot.core.kit import kit_of
from bot.core.model.values import Value
from bot.core.parse import parse_stream
from bot.core.policy.examples import case_of, is_example
from bot.core.policy.found import CASES, FOLDER, policies_of
from bot.core.policy.kinds import as_map, text_of
from bot.core.policy.load import load_policies
from bot.core.policy.model import Case, PolicySet
from bot.core.policy.unbound import all_bound
from bot.core.problem import Problem, Refusal
from bot.core.tree import Tree, walk
from bot.disk import DiskTree
from bot.shipped import shipped_tree

PACK = "blueprints/policies"
_YAML = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Trial:
    """Policies and the files of their cases."""

    policies: PolicySet
    cases: Mapping[str, bytes]
    where: str
    own: frozenset[str]
    """Names of the policies that lie there themselves."""


def tests_in(folder: Path | None) -> Trial | Refusal:
    """The shipped pack, a platform repo's own policies, or a folder of policies with their cases."""
    if folder is None:
        place = newest_pack()
        return _tests(load_policies(_files(shipped_tree(), place)), shipped_tree(), place, "the shipped pack")
    tree = DiskTree(folder)
    if tree.get("platform") is None:
        return _tests(load_policies(_files(tree, "")), tree, "", str(folder))
    kit = kit_of(tree, shipped_tree())
    if isinstance(kit, Refusal):
        return kit
    return _tests(policies_of(tree, kit), tree, FOLDER, f"{folder}/{FOLDER}")


def newest_pack() -> str:
    """The folder of the newest shipped pack."""
    names = [name for name in shipped_tree().list(PACK) if name[1:].isdecimal()]
    return f"{PACK}/{max(names, key=lambda name: int(name[1:]))}"


def policies_in(names: Sequence[str], params: Sequence[Path]) -> PolicySet | Refusal:
    """The policies at those paths (files, or folders of them), or the shipped ones of those names, each put to work:
    what has no binding of its own denies. With `params`, those are all parameters that there are."""
    files: dict[str, bytes] = {}
    for name in names:
        files.update(_named(name))
    if params:
        files = {path: data for path, data in files.items() if "params" not in path.split("/")[:-1]}
        files.update({f"params/{path}": path.read_bytes() for path in params})
    found = load_policies(files)
    if isinstance(found, Refusal):
        return found
    if not found.policies:
        raise Stop(f"there is no policy in {', '.join(names)}", USAGE)
    return all_bound(found)


def cases_in(new: Path | None, old: Path | None, namespace: Path | None) -> tuple[Case, ...] | Refusal:
    """A case for each object of the files; objects of `old` belong to those of the same kind and name, or to the only
    one."""
    read = [_documents(path) if path is not None else () for path in (new, old, namespace)]
    problems = [problem for found in read if isinstance(found, Refusal) for problem in found.problems]
    if problems:
        return Refusal(tuple(problems))
    news, olds, spaces = [tuple(found) for found in read if not isinstance(found, Refusal)]
    return tuple(
        case_of(object_name(now if now is not None else was), now, was, spaces[0] if spaces else None)
        for now, was in _paired(news, olds)
    )


def object_name(value: Value) -> str:
    """`Deployment checkout-prod/checkout`."""
    namespace, name = text_of(value, "metadata", "namespace"), text_of(value, "metadata", "name")
    return f"{text_of(value, 'kind')} {namespace}{'/' if namespace else ''}{name}".rstrip()


def _paired(news: Sequence[Value], olds: Sequence[Value]) -> Iterator[tuple[Value, Value]]:
    if len(news) == len(olds) == 1:
        yield news[0], olds[0]
        return
    rest = {object_name(old): old for old in olds}
    for new in news:
        yield new, rest.pop(object_name(new), None)
    for old in rest.values():
        yield None, old


def _documents(path: Path) -> tuple[Value, ...] | Refusal:
    found = parse_stream(str(path), path.read_bytes())
    if isinstance(found, Refusal):
        return found
    wrong = [doc for doc in found if not text_of(doc.value, "kind") or not text_of(doc.value, "apiVersion")]
    if wrong or not found:
        return Refusal((_no_object(str(path)),))
    return tuple(as_map(doc.value) for doc in found)


def _no_object(path: str) -> Problem:
    return Problem(
        path, 1, 1, "CW0101", "this is no object of Kubernetes", "there is nothing to judge",
        "write a document with `apiVersion` and `kind`",
    )  # fmt: skip


def _named(name: str) -> Mapping[str, bytes]:
    path = Path(name)
    if path.is_file():
        return {name: path.read_bytes()}
    if path.is_dir():
        return {f"{name}/{inside}": data for inside, data in _files(DiskTree(path), "").items()}
    pack = newest_pack()
    shipped = f"{pack}/{name}.yaml"
    if shipped_tree().get(shipped) is not None:
        return {shipped: shipped_tree().read(shipped)}
    names = [found.removesuffix(".yaml") for found in shipped_tree().list(pack)]
    near = get_close_matches(name, names, 1)
    raise Stop(
        f"{name} is neither a file nor a shipped policy{f'; did you mean {near[0]}?' if near else '.'} Shipped are: "
        f"{', '.join(one for one in sorted(names) if one != CASES)}",
        USAGE,
    )


def _tests(policies: PolicySet | Refusal, tree: Tree, folder: str, where: str) -> Trial | Refusal:
    if isinstance(policies, Refusal):
        return policies
    cases = {path: tree.read(path) for path, entry in walk(tree, folder) if entry.kind == "file" and is_example(path)}
    own = frozenset(one.name for one in policies.policies if not one.shipped)
    return Trial(policies, cases, where, own)


def _files(tree: Tree, folder: str) -> dict[str, bytes]:
    return {
        path: tree.read(path)
        for path, entry in walk(tree, folder)
        if entry.kind == "file" and path.endswith(_YAML) and CASES not in path.split("/")[:-1]
    }
