"""`kubectl kustomize` reads every folder that Argo CD will read, and gives the same objects back."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from tests.core.render_world import CASES, case_files, case_named

KUBECTL = shutil.which("kubectl")


@pytest.mark.tools
@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not on PATH")
@pytest.mark.parametrize("case", CASES)
def test_kubectl_reads_every_folder_back_as_it_was_written(case: str, tmp_path: Path) -> None:
    folders: dict[str, dict[str, bytes]] = defaultdict(dict)
    for path, data in case_files(case_named(case)).items():
        if path.endswith(".yaml") and not path.startswith("catalog/"):
            folder, _, name = path.rpartition("/")
            folders[folder][name] = data
    assert folders
    for folder, files in folders.items():
        here = tmp_path / folder
        here.mkdir(parents=True)
        for name, data in files.items():
            (here / name).write_bytes(data)
        (here / "kustomization.yaml").write_text(yaml.safe_dump({"resources": sorted(files)}))
        done = subprocess.run(
            [str(KUBECTL), "kustomize", str(here)], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{folder}: {done.stderr}"
        read = sorted(map(_key, yaml.safe_load_all(done.stdout)))
        assert read == sorted(_key(yaml.safe_load(data)) for data in files.values()), folder


def _key(item: object) -> str:
    return yaml.safe_dump(item, sort_keys=True)
