"""Encoders held against the real programs that read what they write."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bot.core import text
from tests.core.adversarial import ALL

pytestmark = pytest.mark.tools

_TEXTS = [value for value in ALL if text.flaw_in(value) is None]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_terraform_reads_every_string_as_value_and_as_key(tmp_path: Path) -> None:
    values = [text.terraform(value) for value in _TEXTS]
    keys = [{text.terraform(value): 1} for value in _TEXTS]
    (tmp_path / "main.tf.json").write_text(json.dumps({"locals": {"values": values, "keys": keys}}))
    command = ["terraform", f"-chdir={tmp_path}", "console"]
    # Base64, because the console prints strings with escapes of its own.
    question = "base64encode(jsonencode([local.values, [for one in local.keys : keys(one)[0]]]))\n"
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    done = subprocess.run(command, input=question, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    read_values, read_keys = json.loads(base64.b64decode(json.loads(done.stdout)))
    assert read_values == _TEXTS
    assert read_keys == _TEXTS


_GO = """
package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strconv"
	"text/template"
)

func main() {
	var in struct{ Templates, Literals []string }
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		panic(err)
	}
	var out struct{ Printed, Unquoted []string }
	for _, source := range in.Templates {
		var buffer bytes.Buffer
		parsed := template.Must(template.New("x").Parse(source + "{{ . }}"))
		if err := parsed.Execute(&buffer, "|"); err != nil {
			panic(err)
		}
		out.Printed = append(out.Printed, buffer.String())
	}
	for _, literal := range in.Literals {
		value, err := strconv.Unquote(literal)
		if err != nil {
			panic(literal)
		}
		out.Unquoted = append(out.Unquoted, value)
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		panic(err)
	}
}
"""


@pytest.mark.skipif(shutil.which("go") is None, reason="go is not installed")
def test_go_prints_templates_and_unquotes_literals_to_the_text_itself(tmp_path: Path) -> None:
    (tmp_path / "main.go").write_text(_GO)
    question = json.dumps(
        {
            "Templates": [text.go_template(value) for value in _TEXTS],
            "Literals": [text.prometheus_string(value) for value in _TEXTS],
        }
    )
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GO111MODULE": "off", "CGO_ENABLED": "0"}
    command = ["go", "run", str(tmp_path / "main.go")]
    done = subprocess.run(command, input=question, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["Printed"] == [f"{value}|" for value in _TEXTS]
    assert answer["Unquoted"] == _TEXTS
