"""Terraform's own checks, with the real provider's schema and invented answers of AWS. Where there is no terraform or no
aws provider, only the syntax is checked, and that is said."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import hcl2

import charts

SOURCE = charts.DEPLOY / "terraform"


def plugins():
    """A folder with the aws provider: the one that is named, or one where programs usually are."""
    if named := os.environ.get("ACCELBENCH_TERRAFORM_PLUGINS"):
        return named
    places = ["/opt", "/usr/local/share", "/usr/share", str(pathlib.Path.home() / ".terraform.d")]
    found = subprocess.run(["find", *places, "-maxdepth", "9", "-name", "terraform-provider-aws_*", "-print", "-quit"],
                           capture_output=True, text=True, check=False).stdout.strip()
    return found.split("/registry.terraform.io/")[0] if "/registry.terraform.io/" in found else None


PROGRAM = os.environ.get("ACCELBENCH_TERRAFORM") or shutil.which("terraform")
PLUGINS = PROGRAM and plugins()


class Syntax(unittest.TestCase):
    def test_every_file_is_hcl(self):
        files = [*SOURCE.rglob("*.tf"), *SOURCE.rglob("*.hcl")]
        self.assertGreater(len(files), 20)
        for file in files:
            with self.subTest(file=file.name):
                hcl2.loads(file.read_text())
        if not PLUGINS:
            print("\n******** TERRAFORM'S OWN CHECKS SKIPPED: there is no terraform with an aws provider ********\n")

    def test_no_module_leaves_the_repository(self):
        for file in SOURCE.rglob("*.tf"):
            for source in re.findall(r'^\s*source\s*=\s*"([^"]+)"', file.read_text(), re.MULTILINE):
                self.assertTrue(source.startswith("./") or source == "hashicorp/aws", f"{file.name}: {source}")


@unittest.skipUnless(PLUGINS, "there is no terraform with an aws provider here")
class Terraform(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        shutil.copytree(SOURCE, cls.folder / "source", ignore=shutil.ignore_patterns(".terraform*"))
        started = cls.terraform("init", "-backend=false", "-input=false", f"-plugin-dir={PLUGINS}")
        if started.returncode:
            raise AssertionError(started.stdout)

    @classmethod
    def terraform(cls, *arguments):
        # Nothing of the person's own settings: a mirror or a plug-in cache there would change what is checked.
        environment = {**os.environ, "TF_CLI_CONFIG_FILE": os.devnull, "TF_IN_AUTOMATION": "1"}
        return subprocess.run([PROGRAM, *arguments], cwd=cls.folder / "source", env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)

    def passes(self, *arguments):
        done = self.terraform(*arguments)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_it_is_valid_and_keeps_its_promises(self):
        self.passes("fmt", "-check", "-recursive")
        self.passes("validate", "-no-color")
        told = self.passes("test", "-no-color")
        self.assertRegex(told, r"Success! \d+ passed, 0 failed")
        print(f"terraform: {told.strip().splitlines()[-1]}")

    def test_a_check_that_finds_nothing_is_not_trusted(self):
        database = self.folder / "source/modules/database/main.tf"
        text = database.read_text()
        database.write_text(text.replace("backup_retention_period  ", "backup_retention_perio   "))
        self.addCleanup(database.write_text, text)
        self.assertIn("backup_retention_perio", self.terraform("validate", "-no-color").stdout)
