"""What is written reads back the same where it will really be read: by kubectl."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.core.emit import emit_yaml
from tests.core.adversarial import ALL, REFUSED

pytestmark = pytest.mark.tools


def _through_kubectl(folder: Path, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # `patch` is offline and prints JSON, so nothing but kubectl's reader stands between the bytes and the answer.
    path = folder / "objects.yaml"
    path.write_bytes(b"---\n".join(emit_yaml(item) for item in objects))
    command = ["kubectl", "patch", "--local", "-f", str(path), "-o", "json", "--type=merge", "-p", "{}"]
    environment = {**os.environ, "KUBECONFIG": os.devnull}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=90)
    assert done.returncode == 0, done.stderr
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(done.stdout.rstrip()):
        item, at = decoder.raw_decode(done.stdout, at)
        found.append(item)
        at += len(done.stdout[at:]) - len(done.stdout[at:].lstrip())
    return found


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_every_adversarial_string_reads_back_the_same_in_kubectl(tmp_path: Path) -> None:
    texts = [*ALL, *REFUSED]
    data = {f"k{number}": text for number, text in enumerate(texts)}
    keys = dict.fromkeys(texts, "x")
    nested = [{"name": text, "list": [text, [text]]} for text in texts]
    objects = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "values"}, "data": data},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "keys"}, "data": keys},
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": "nested"},
            "spec": {"x": nested},
        },
    ]
    values, names, inner = _through_kubectl(tmp_path, objects)
    assert values["data"] == data
    assert names["data"] == keys
    assert inner["spec"]["x"] == nested
