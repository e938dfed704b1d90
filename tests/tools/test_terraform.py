"""Terraform itself reads every root that is rendered: live, with its protection lifted, and emptied.

Providers come from a mirror on this machine only: the folder that `CAUSEWAY_TF_MIRROR` names, or one found on disk.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from bot.core.build.state import inputs_of
from bot.core.problem import Refusal
from bot.core.render import drained, rendered
from tests.core.render_world import case_named

TERRAFORM = shutil.which("terraform")
PROVIDER = Path("registry.terraform.io/hashicorp/aws")
CASE = "shop"
KEYS = [("data", "services/checkout", "prod", need) for need in ("db", "uploads")]


def _roots() -> Iterator[Path]:
    named = os.environ.get("CAUSEWAY_TF_MIRROR")
    if named:
        yield Path(named)
    # Where Terraform itself looks, then a bounded search.
    home = Path.home()
    yield home / ".terraform.d" / "plugins"
    yield Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "terraform" / "plugins"
    yield Path("/usr/local/share/terraform/plugins")
    yield Path("/usr/share/terraform/plugins")
    yield home / ".terraform.d" / "plugin-cache"
    for name in ("usr/local/share", "usr/share", "opt", "srv", "var/lib", "mnt"):
        root = Path("/") / name
        yield root
        for depth in ("*", "*/*"):
            try:
                yield from sorted(path for path in root.glob(depth) if path.is_dir())
            except OSError:
                continue


@lru_cache(maxsize=1)
def mirror() -> Path | None:
    """A folder that holds the AWS provider as Terraform's filesystem mirrors lay it out."""
    for root in _roots():
        for start in (root, root / "terraform" / "plugins"):
            try:
                if (start / PROVIDER).is_dir():
                    return start
            except OSError:
                continue
    return None


pytestmark = [
    pytest.mark.tools,
    pytest.mark.skipif(TERRAFORM is None, reason="terraform is not on PATH"),
    pytest.mark.skipif(mirror() is None, reason="no mirror of the AWS provider on this machine (CAUSEWAY_TF_MIRROR)"),
]


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    config = folder.parent / "cli.tfrc"
    config.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror()}"\n  }}\n}}\n'
        "disable_checkpoint = true\n"
    )
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder.parent),
        "TF_CLI_CONFIG_FILE": str(config),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
    }
    return subprocess.run(
        [str(TERRAFORM), *words], cwd=folder, env=env, capture_output=True, text=True, timeout=110, check=False
    )


def write(folder: Path, key: tuple[str, ...], phase: str) -> Path:
    """The root of a need in a phase, on disk."""
    made = case_named(CASE)
    done = rendered(drained(inputs_of(made, key), phase), made.kit)  # type: ignore[arg-type]  # a phase by name
    assert not isinstance(done, Refusal)
    root = folder / "root"
    for path, data in done.files.items():
        inside = path.partition("/terraform/")[2]
        if inside:
            (root / inside).parent.mkdir(parents=True, exist_ok=True)
            (root / inside).write_bytes(data)
    return root


@pytest.mark.parametrize("phase", ["live", "lifted", "empty"])
@pytest.mark.parametrize("key", KEYS, ids=lambda key: str(key[3]))
def test_terraform_finds_every_root_valid_and_formatted(key: tuple[str, ...], phase: str, tmp_path: Path) -> None:
    root = write(tmp_path, key, phase)
    begun = run(root, "init", "-backend=false", "-input=false", "-no-color")
    assert begun.returncode == 0, begun.stdout + begun.stderr
    valid = run(root, "validate", "-json")
    found = json.loads(valid.stdout)
    assert found["valid"], found["diagnostics"]
    assert found["warning_count"] == 0, found["diagnostics"]
    shaped = run(root, "fmt", "-check", "-recursive", "-diff")
    assert shaped.returncode == 0, shaped.stdout


TEST = """
mock_provider "aws" {{
  mock_data "aws_iam_policy_document" {{
    defaults = {{ json = "{{}}" }}
  }}
  mock_data "aws_vpc" {{
    defaults = {{ cidr_block_associations = [{{ cidr_block = "10.20.0.0/16", association_id = "a", state = "b" }}] }}
  }}
  mock_data "aws_region" {{
    defaults = {{ name = "eu-west-1" }}
  }}
}}

run "plan" {{
  command = plan
{asserts}
}}
"""


def check(root: Path, *asserts: str) -> None:
    """Plans the vendored module as the root calls it, against a provider that makes everything up."""
    call = next(iter(json.loads((root / "main.tf.json").read_text())["module"].values()))
    module = root / "module"
    call.pop("source")
    (module / "terraform.tfvars.json").write_text(json.dumps(call))
    body = "\n".join(f'  assert {{\n    condition     = {line}\n    error_message = "not so"\n  }}' for line in asserts)
    (module / "plan.tftest.hcl").write_text(TEST.format(asserts=body))
    # Terraform cannot make up ephemeral values, so here, and only here, a text stands for each.
    for path in module.glob("*.tf"):
        text = re.sub(r'ephemeral "[^}]*\n}\n', "", path.read_text())
        path.write_text(re.sub(r"ephemeral(?:\.\w+)+", '"made-up"', text))
    begun = run(module, "init", "-backend=false", "-input=false", "-no-color")
    assert begun.returncode == 0, begun.stdout + begun.stderr
    done = run(module, "test", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_protected_database_refuses_deletion_and_a_lifted_one_still_leaves_a_snapshot(tmp_path: Path) -> None:
    check(
        write(tmp_path, KEYS[0], "live"),
        "aws_db_instance.this.deletion_protection == true",
        "aws_db_instance.this.skip_final_snapshot == false",
        "aws_db_instance.this.multi_az == true",
        "aws_db_instance.this.storage_encrypted == true",
        "aws_db_instance.this.publicly_accessible == false",
        'aws_secretsmanager_secret.this.name == "/prod/checkout/db"',
    )
    check(
        write(tmp_path, KEYS[0], "lifted"),
        "aws_db_instance.this.deletion_protection == false",
        "aws_db_instance.this.skip_final_snapshot == false",
    )


def test_a_protected_bucket_is_not_emptied_and_a_lifted_one_is(tmp_path: Path) -> None:
    check(
        write(tmp_path, KEYS[1], "live"),
        "aws_s3_bucket.this.force_destroy == false",
        'aws_secretsmanager_secret.this.name == "/prod/checkout/uploads"',
        "aws_s3_bucket_public_access_block.this.restrict_public_buckets == true",
    )
    check(write(tmp_path, KEYS[1], "lifted"), "aws_s3_bucket.this.force_destroy == true")
