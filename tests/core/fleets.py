"""Random platform repositories whose services contend: what builds of any history are tested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from bot.core.tree import MemoryTree, Tree
from bot.shipped import shipped_tree

Files = Mapping[str, str]

BLUEPRINT = "blueprints/workloads/web/v1/blueprint.yaml"
FEATURES = "features: {gateway: true, external_secrets: true, prometheus_operator: true}"
GATEWAYS = (
    "gateway: {internal: {name: internal, namespace: gateways}, public: {name: public, namespace: gateways}}",
    "gateway: {internal: {name: inside, namespace: gateways}}",
)
STORE = "secrets: {store: aws-secretsmanager, region: eu-west-1}"
TERRAFORM = "terraform: {backend: {s3: {bucket: state, region: eu-west-1}}, providers: {aws: {region: eu-west-1}}}"

FOLDERS = (
    "services/a",
    "services/a/b", "services/b", "services/c", "services/x/a", "services/x/b", "services/x/y/c",
    "services/a-b",
)  # fmt: skip
"""Names meet in several of them, and one lies inside another."""

TEAMS = ("platform", "red", "blue")

CALLS = ("uses: [a]", "uses: [b]", "uses: [c]", "uses: [b, c]", "uses: [a-b]", "uses: [a, nobody]")

LINES = (
    "allow: {callers: [a, b, c]}", "allow: {callers: [b]}", "allow: {callers: [a, c]}", "tier: 1", "port: 9000",
    "routes: [{host: one.acme.com}]", "routes: [{public: true}]", "routes: [{host: one.acme.com, path: /x}]",
    "deploy_to: [prod]", "deploy_to: [dev, prod]", "needs: {db: postgres}", "needs: {files: bucket}", "migrate: [run]",
    "metrics: {port: 9100}", "environments: {prod: {scale: 3}}", "secrets: [KEY]",
)  # fmt: skip


@st.composite
def _environment(draw: st.DrawFn, name: str) -> str:
    lines = [
        f"kind: {draw(st.sampled_from(['production', 'development']))}",
        f"default: {draw(st.sampled_from(['true'] * 5 + ['false']))}",
        # Environments of one cluster meet in its namespaces, so they need `{env}` in the rule.
        f"cluster: {{name: {draw(st.sampled_from(['one', name]))}}}",
        f"domain: {draw(st.sampled_from(['acme.com', f'{name}.acme.com']))}",
        FEATURES,
        draw(st.sampled_from(GATEWAYS)),
        STORE,
        TERRAFORM,
        f"namespace: '{draw(st.sampled_from(['{service}-{env}', '{team}-{env}', '{team}-{service}-{env}']))}'",
        *draw(st.lists(st.sampled_from(["otlp: http://o.o:4317", "networks: {data: [10.0.0.0/8]}"]), unique=True)),
        *draw(st.sampled_from([(), (), (f"gitops: {{repo: acme/{name}}}",)])),
    ]
    return f"  {name}:\n" + "".join(f"    {line}\n" for line in lines)


@st.composite
def platforms(draw: st.DrawFn) -> dict[str, str]:
    """The files below `platform/`: now and then one that cannot be read, or an own version of the blueprint."""
    names = draw(st.sampled_from([("prod",), ("prod", "dev"), ("dev", "prod"), ("prod", "dev", "test")]))
    teams = draw(st.sampled_from([TEAMS, TEAMS, ("platform", "red"), ("blue", "red", "platform")]))
    centre = draw(st.sampled_from(["", ", cost_centre: cc-1"]))
    files = {
        "platform/config.yaml": draw(
            st.sampled_from(
                [
                    "platform_team: platform\ngitops: {repo: acme/gitops}\n",
                    "platform_team: platform\ngitops: {repo: acme/gitops}\n",
                    "platform_team: platform\ngitops: {repo: acme/gitops, branch: live, drift: hold}\nmode: observe\n",
                ]
            )
        ),
        "platform/environments.yaml": "environments:\n" + "".join(draw(_environment(name)) for name in names),
        "platform/teams.yaml": "teams:\n"
        + "".join(
            f"  {team}: {{forge_team: acme/{team}, hosts: [one.acme.com]{centre if team == 'red' else ''}}}\n"
            for team in teams
        ),
        "platform/recipes.yaml": "recipes:\n"
        + draw(
            st.sampled_from(
                ["- {provides: postgres, recipe: cnpg-small}\n", "- {provides: postgres, recipe: aws-rds}\n"]
            )
        )
        + draw(st.sampled_from(["", "- {provides: bucket, recipe: aws-s3}\n"])),
    }
    match draw(st.sampled_from(["", "", "", "", "", "", "own blueprint", "hold", "unreadable"])):
        case "own blueprint":
            text = shipped_tree().read(BLUEPRINT).decode()
            files[f"platform/{BLUEPRINT}"] = text.replace("port: 8080", "port: 3000")
        case "hold":
            files["platform/holds.yaml"] = "holds: {prod: {reason: inventory, by: dana}}\n"
        case "unreadable":
            files["platform/teams.yaml"] = "teams: [\n"
        case _:
            pass
    return files


@st.composite
def services(draw: st.DrawFn, folder: str) -> dict[str, str]:
    """One service: mostly called like its folder, calling others, wanting hosts that others want too."""
    last = folder.rpartition("/")[2]
    name = draw(st.sampled_from([last] * 15 + ["a"]))
    owner = draw(st.sampled_from(["red"] * 6 + ["blue"] * 3 + ["ghost"]))
    tag = draw(st.sampled_from([":1"] * 4 + [":2", "", ""]))
    lines = [f"name: {name}", f"owner: {owner}", "type: web", f"image: ghcr.io/acme/{name}{tag}"]
    calls = [line for line in CALLS if f"[{name}]" not in line and f"[{name}," not in line and f" {name}]" not in line]
    lines += draw(st.lists(st.sampled_from(calls), max_size=1))
    lines += draw(st.lists(st.sampled_from(LINES), max_size=3, unique_by=lambda line: line.partition(":")[0]))
    lines += draw(st.sampled_from([()] * 9 + [("replica: 3",)]))
    files = {f"{folder}/platform.yaml": "\n".join(lines) + draw(st.sampled_from(["\n", "\n# a note\n"]))}
    if draw(st.sampled_from([tag == "", tag == "", tag == "", False])):
        files[f"{folder}/releases.yaml"] = f"prod: {{image: 'ghcr.io/acme/{name}@sha256:{'ab' * 32}'}}\n"
    return files


@st.composite
def fleets(draw: st.DrawFn) -> dict[str, str]:
    """A whole platform repository."""
    files = draw(platforms())
    for folder in draw(st.lists(st.sampled_from(FOLDERS), unique=True, max_size=6)):
        files.update(draw(services(folder)))
    return files


@st.composite
def edits(draw: st.DrawFn, files: Files) -> dict[str, str]:
    """The same repository after something that people do: a change, a removal, a move, or another platform."""
    after = dict(files)
    folders = sorted(path.rpartition("/")[0] for path in files if path.startswith("services/"))
    for _ in range(draw(st.integers(1, 2))):
        match draw(st.sampled_from(["write", "write", "remove", "move", "platform", "both"])):
            case "write":
                folder = draw(st.sampled_from(FOLDERS))
                after.update(draw(services(folder)))
            case "remove" if folders:
                after.pop(f"{draw(st.sampled_from(folders))}/platform.yaml", None)
            case "move" if folders:
                old, new = draw(st.sampled_from(folders)), draw(st.sampled_from(FOLDERS))
                text = after.pop(f"{old}/platform.yaml", None)
                if text is not None:
                    after[f"{new}/platform.yaml"] = text
            case "platform":
                after = {path: text for path, text in after.items() if not path.startswith("platform/")}
                after.update(draw(platforms()))
            case _:
                after = draw(fleets())
    return after


@dataclass(frozen=True, slots=True)
class Chance:
    """One moment of a history: a tree, and the circumstances that a build of it can have. Numbers point to earlier
    moments, modulo their count; None is none."""

    files: Files
    since: int | None
    held: int | None
    last_good: Mapping[str, int | None]


@st.composite
def histories(draw: st.DrawFn, most: int = 5) -> list[Chance]:
    """Moments one after another, each a small change of the one before or something else altogether."""
    files = draw(fleets())
    moments: list[Chance] = []
    for _ in range(draw(st.integers(2, most))):
        earlier = st.none() | st.integers(0, most)
        moments.append(
            Chance(
                files,
                draw(st.integers(0, most)),
                draw(earlier),
                draw(st.just({}) | st.dictionaries(st.sampled_from(FOLDERS), earlier, max_size=2)),
            )
        )
        files = draw(edits(files))
    return moments


def tree_of(files: Files) -> Tree:
    return MemoryTree({path: text.encode() for path, text in files.items()})
