"""Files that people read and machines run: tables of values, YAML, shell, the Dockerfile."""

import os
import pathlib
import subprocess
import unittest

import charts
import readme_table

TOOLS = pathlib.Path(os.environ["ACCELBENCH_DEPLOY_TOOLS"]) / "bin"
YAML_RULES = "{extends: default, rules: {line-length: {max: 140}, document-start: disable, braces: disable, brackets: disable}}"


def run(tool, *arguments):
    return subprocess.run([TOOLS / tool, *arguments], cwd=charts.REPOSITORY, capture_output=True, text=True, check=False)


def shell_scripts():
    found = [file for folder in ("deploy", "demo", "tests", "store", ".ci") for file in
             (charts.REPOSITORY / folder).rglob("*") if file.is_file() and file.suffix in ("", ".sh")]
    return [file for file in found if file.read_bytes()[:64].startswith((b"#!/usr/bin/env bash", b"#!/bin/sh"))]


class Texts(unittest.TestCase):
    def finds_nothing(self, tool, *arguments):
        done = run(tool, *arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_readmes_tables_are_the_schemas(self):
        for chart in charts.CHARTS:
            text = (charts.path(chart) / "README.md").read_text()
            self.assertEqual(readme_table.renewed(chart, text), text, "renew it: python deploy/checks/readme_table.py")

    def test_yaml_is_tidy(self):
        files = [file for file in charts.DEPLOY.rglob("*.yaml") if "templates" not in file.parts]
        self.finds_nothing("yamllint", "--strict", "-d", YAML_RULES, *files)

    def test_shell_scripts_have_no_known_trap(self):
        scripts = shell_scripts()
        self.assertGreater(len(scripts), 5)
        self.finds_nothing("shellcheck", "--external-sources", *scripts)
        print(f"shell: {len(scripts)} scripts")

    def test_the_dockerfile_has_no_known_trap(self):
        self.finds_nothing("hadolint", charts.REPOSITORY / "deploy/docker/Dockerfile")
