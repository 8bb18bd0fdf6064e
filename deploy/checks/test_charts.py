"""Every case of every chart renders, and every supported Kubernetes takes what comes out."""

import unittest

import yaml

import charts
import kubernetes

# Karpenter's have schemas of their own: test_karpenter. The Prometheus operator's two are looked at in test_observability.
FOREIGN = ("karpenter.sh/", "karpenter.k8s.aws/", "monitoring.coreos.com/")


def native(items):
    return [item for item in items if not item["apiVersion"].startswith(FOREIGN)]


class Charts(unittest.TestCase):
    def test_helm_finds_nothing_to_say(self):
        for chart, case in charts.cases():
            with self.subTest(chart=chart, case=case):
                self.assertEqual(charts.problems(chart, charts.values(chart, case)), [])

    def test_every_supported_kubernetes_takes_every_object(self):
        checked = 0
        for chart, case in charts.cases():
            for item in native(charts.objects(chart, case)):
                for version in kubernetes.VERSIONS:
                    with self.subTest(case=case, kind=item["kind"], name=item["metadata"]["name"], version=version):
                        kubernetes.validate(item, version)
                        checked += 1
        print(f"charts: {len(charts.cases())} cases, {checked} validations on Kubernetes {', '.join(kubernetes.VERSIONS)}")

    def test_a_validator_that_refuses_nothing_is_not_trusted(self):
        broken = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
                  "spec": {"containers": [{"name": "a"}], "restartPolice": "Never"}}
        for version in kubernetes.VERSIONS:
            with self.assertRaises(kubernetes.Refused):
                kubernetes.validate(broken, version)

    def test_no_object_is_there_twice(self):
        for chart, case in charts.cases():
            keys = [(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"])
                    for item in charts.objects(chart, case)]
            self.assertEqual(len(keys), len(set(keys)), f"{chart} {case}")

    def test_the_plain_manifests_are_valid_too(self):
        for file in sorted((charts.DEPLOY / "kubernetes").glob("*.yaml")):
            for item in yaml.safe_load_all(file.read_text()):
                for version in kubernetes.VERSIONS:
                    kubernetes.validate(item, version)

    def test_a_release_of_another_name_is_whole_in_itself(self):
        texts = charts.render("accelbench", charts.values("accelbench", "aurora"), name="two", namespace="elsewhere")
        rendered = "\n".join(text for name, text in texts.items() if name.endswith(".yaml"))
        for item in yaml.safe_load_all(rendered):
            if item and item["kind"] not in ("Namespace", "PriorityClass"):
                self.assertTrue(item["metadata"]["name"].startswith("two-accelbench"), item["metadata"]["name"])
        self.assertIn("http://two-accelbench-api.elsewhere.svc:8080", rendered)
