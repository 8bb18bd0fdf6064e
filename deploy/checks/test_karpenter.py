"""Node pools and node classes are what Karpenter's own types say. Rules that only the API server knows (CEL) are not
evaluated here; those that matter to us are in test_promises."""

import copy
import json
import os
import pathlib
import subprocess
import unittest

import charts

TOOLS = pathlib.Path(os.environ["ACCELBENCH_DEPLOY_TOOLS"]) / "karpenter"


def problems(objects):
    # Given as text, the program finds its packages where it runs, not where its file is.
    program = pathlib.Path(__file__).with_name("karpenter.mjs").read_text()
    done = subprocess.run(["node", "--input-type=module", "--eval", program], cwd=TOOLS, input=json.dumps(objects),
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else []


@unittest.skipUnless((TOOLS / "complete").exists(), "npm could not install Karpenter's types")
class Karpenter(unittest.TestCase):
    def test_all_is_as_karpenter_has_it(self):
        objects = [item for chart, case in charts.cases() for item in charts.objects(chart, case)
                   if item["apiVersion"].startswith("karpenter.")]
        self.assertGreater(len(objects), 15)
        self.assertEqual(problems(objects), [])
        print(f"karpenter: {len(objects)} node pools and node classes")

    def test_a_check_that_finds_nothing_is_not_trusted(self):
        pool = charts.named(charts.objects("accelbench-nodes", "minimal"), "NodePool", "accelbench-gpu")
        misspelt, malformed = copy.deepcopy(pool), copy.deepcopy(pool)
        misspelt["spec"]["disruption"]["consolidateAfterwards"] = "10m"
        malformed["spec"]["disruption"]["consolidateAfter"] = "10 minutes"
        self.assertEqual(len(problems([misspelt, malformed])), 2)
