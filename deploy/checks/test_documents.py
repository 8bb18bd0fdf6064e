"""What our documents tell people to type is what our programs understand, and what they link to is there."""

import json
import os
import pathlib
import re
import subprocess
import unittest

import helm_python

import charts
import documents

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", charts.REPOSITORY / "target"))
PROGRAM = next((path for path in [pathlib.Path(os.environ.get("ACCELBENCH_DEPLOY_PROGRAM", "/nowhere")),
                                  TARGET / "debug/accelbench", TARGET / "release/accelbench"] if path.exists()), None)
# Options of `helm install` and `helm upgrade` that our documents use and that take a value.
VALUED = ("--set", "--set-string", "--namespace", "--version", "--values", "-f", "-n")


def helm(arguments):
    """Name, chart and values of an installation."""
    plain, given = [], {}
    rest = iter(arguments[1:])
    for word in rest:
        if word in VALUED:
            value = next(rest)
            if word == "--set":
                merge(given, helm_python.parse_set_string(value))
        elif not word.startswith("-"):
            plain.append(word)
    return plain, given


def merge(into, more):
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


class Documents(unittest.TestCase):
    def test_every_command_says_where_it_can_be_run(self):
        for file in documents.files():
            for language, place, _ in documents.fences(file):
                self.assertNotEqual(language, "", f"{file.name}: a fence says its language")
                if language == "sh":
                    self.assertIn(place, documents.PLACES, file.name)

    def test_only_what_needs_a_cluster_or_aws_is_marked_so(self):
        outside = ("aws", "terraform", "kubectl", "helm", "docker", "cosign", "syft")
        for file in documents.files():
            for language, place, text in documents.fences(file):
                if language == "sh" and place == "":
                    used = [command[0] for command in documents.commands(text) if command[0] in outside]
                    self.assertEqual(used, [], f"{file.name}: mark the fence `sh cluster` or `sh aws`")

    @unittest.skipUnless(PROGRAM, "there is no accelbench here: build it first")
    def test_our_program_understands_every_command(self):
        told = list(documents.of("accelbench"))
        self.assertGreater(len(told), 5)
        for document, arguments in told:
            with self.subTest(document=document, arguments=arguments):
                # Arguments are read in their order, so that what is wrong is refused before help is given.
                done = subprocess.run([PROGRAM, *(word for word in arguments if word != "..."), "--help"],
                                      capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
        print(f"documents: {len(told)} commands of ours are understood")

    def test_helm_renders_what_documents_install(self):
        installed = [(document, *helm(arguments)) for document, arguments in documents.of("helm")
                     if arguments[0] in ("install", "upgrade")]
        ours = [entry for entry in installed if "deploy/helm/" in entry[1][-1]]
        self.assertGreater(len(ours), 2)
        for document, (*_, chart), given in ours:
            with self.subTest(document=document, chart=chart):
                name = pathlib.Path(chart).name
                values = charts.values(name, "minimal")
                merge(values, given)
                charts.render(name, values)

    def test_files_that_documents_name_are_there(self):
        for file in documents.files():
            text = re.sub(r"```.*?```", "", file.read_text(), flags=re.DOTALL)
            for path in re.findall(r"\b((?:deploy|docs|tests|demo)/[\w./-]*\w)", text):
                self.assertTrue((charts.REPOSITORY / path).exists(), f"{file.name} names {path}")

    def test_the_notes_commands_are_ours(self):
        notes = charts.render("accelbench", charts.values("accelbench", "minimal"))["accelbench/templates/NOTES.txt"]
        line = next(line for line in notes.splitlines() if line.strip().startswith("accelbench --server"))
        if PROGRAM:
            done = subprocess.run([PROGRAM, *line.split()[1:], "--help"], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, json.dumps(done.stderr))
