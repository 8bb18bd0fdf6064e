"""What the values' schemas must refuse: misspelt keys at every level, and what would be dangerous."""

import copy
import json
import unittest

import helm_python

import charts

DANGEROUS = {
    "accelbench": [
        ("an image without a repository", "image.repository", ""),
        ("a moving tag", "image.tag", "latest"),
        ("a database without a Secret", "database.secretName", ""),
        ("a whole world that may come in", "ingress", {"enabled": True, "host": "a", "allowedCidrs": ["0.0.0.0/0"],
                                                       "proxyCidrs": ["10.0.0.0/8"]}),
        ("the other half of it", "ingress", {"enabled": True, "host": "a", "allowedCidrs": ["::/0"],
                                             "proxyCidrs": ["10.0.0.0/8"]}),
        ("an ingress without a fence", "ingress", {"enabled": True, "host": "a"}),
        ("a reaper that is too fast for a worker's restart", "reaper.unrenewedSeconds", 10),
        ("no server at all", "api.replicas", 0),
        ("a password among the values", "database.password", "hunter2"),
        ("engines among our Secrets", "runs.namespace", "accelbench"),
        ("settings that no worker knows", "kubernetes.gpu_pools", {}),
    ],
    "accelbench-nodes": [
        ("a node image that moves", "amiAlias", "al2023@latest"),
        ("a pool without a limit", "pools.gpu.limits", {"accelerators": 0, "nodes": 0}),
        ("a time without its unit", "idleTtl", 10),
        ("nodes that are always on at an unknown price", "staticPools",
         [{"name": "a", "accelerator": "gpu", "instanceType": "g6e.xlarge", "replicas": 1}]),
        ("more pools than the PRD's", "pools.tpu", {}),
    ],
}


def changed(values, path, value):
    values = copy.deepcopy(values)
    *above, last = path.split(".")
    target = values
    for key in above:
        target = target.setdefault(key, {})
    target[last] = value
    return values


def objects_of(schema, path=""):
    """The path of every object in a schema whose keys are known."""
    for key, below in schema.get("properties", {}).items():
        if "properties" in below:
            yield f"{path}{key}"
            yield from objects_of(below, f"{path}{key}.")


class Refusals(unittest.TestCase):
    def refused(self, chart, values, why):
        with self.assertRaises(helm_python.HelmError, msg=f"{chart} takes {why}"):
            charts.render(chart, values)

    def test_the_minimum_is_taken(self):
        for chart in charts.CHARTS:
            charts.render(chart, charts.values(chart, "minimal"))

    def test_dangerous_values_are_refused(self):
        for chart, table in DANGEROUS.items():
            for why, path, value in table:
                self.refused(chart, changed(charts.values(chart, "minimal"), path, value), why)

    def test_an_unknown_key_is_refused_at_every_level(self):
        tried = 0
        for chart in charts.CHARTS:
            schema = json.loads((charts.path(chart) / "values.schema.json").read_text())
            for path in ["", *(f"{path}." for path in objects_of(schema))]:
                values = changed(charts.values(chart, "minimal"), f"{path}misspelt", True)
                self.refused(chart, values, f"{path}misspelt")
                tried += 1
        print(f"schemas: a misspelt key was refused at each of {tried} levels")

    def test_what_must_be_said_is_asked_for(self):
        for chart, path in [("accelbench", "image"), ("accelbench", "database"), ("accelbench", "sealingKey"),
                            ("accelbench-nodes", "cluster"), ("accelbench-nodes", "amiAlias")]:
            values = charts.values(chart, "minimal")
            del values[path]
            self.refused(chart, values, f"values without {path}")

    def test_every_default_is_described(self):
        for chart in charts.CHARTS:
            schema = json.loads((charts.path(chart) / "values.schema.json").read_text())
            defaults = helm_python.Chart.load(str(charts.path(chart))).values
            self.assertEqual(set(defaults), set(schema["properties"]) - {"global"})
