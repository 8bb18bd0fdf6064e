"""The chart grants exactly what deploy/kubernetes grants, which the cluster tests work with, and not one verb more."""

import json
import unittest

import yaml

import charts

KINDS = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "ServiceAccount", "Namespace")
LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/component", "pod-security.kubernetes.io/enforce",
          "pod-security.kubernetes.io/warn")


def essence(item):
    """What matters of an object: who, where, what for, and what it may do."""
    metadata = item["metadata"]
    labels = {key: value for key, value in metadata.get("labels", {}).items() if key in LABELS}
    if item["kind"] == "Namespace":
        labels.pop("app.kubernetes.io/component", None)
    return {**{key: value for key, value in item.items() if key != "metadata"},
            "name": metadata["name"], "namespace": metadata.get("namespace"), "labels": labels}


def plain(file):
    return [essence(item) for item in yaml.safe_load_all((charts.DEPLOY / "kubernetes" / file).read_text())]


def ordered(items):
    return sorted(items, key=lambda item: (item["kind"], item["name"]))


class Rbac(unittest.TestCase):
    maxDiff = None

    def test_the_chart_and_the_plain_manifests_are_the_same(self):
        # The release's own namespace is made by whoever installs the chart.
        expected = plain("rbac.yaml") + [item for item in plain("namespaces.yaml") if item["name"] != "accelbench"]
        for case in ("minimal", "aurora", "full", "ingress-alb"):
            rendered = [essence(item) for item in charts.of_kind(charts.objects("accelbench", case), *KINDS)]
            # Engines have an account only where somebody wants one; it has no rights either.
            rendered = [item for item in rendered if item["name"] != "accelbench-engine"]
            self.assertEqual(ordered(rendered), ordered(expected), case)

    def test_the_doctor_tries_exactly_what_workers_are_granted(self):
        tried = json.loads((charts.REPOSITORY / "worker/src/platform/kubernetes/rights.json").read_text())
        tried = [(right["scope"], right["group"], right["resource"], sorted(right["verbs"])) for right in tried]
        granted = [("runs" if item["kind"] == "Role" else "cluster", group, resource, sorted(rule["verbs"]))
                   for item in plain("rbac.yaml") if item["name"] == "accelbench-worker" and "rules" in item
                   for rule in item["rules"] for group in rule["apiGroups"] for resource in rule["resources"]]
        self.assertEqual(sorted(tried), sorted(granted))

    def test_engines_may_do_nothing(self):
        account = charts.named(charts.objects("accelbench", "full"), "ServiceAccount", "accelbench-engine")
        self.assertIs(account["automountServiceAccountToken"], False)
        bindings = charts.of_kind(charts.objects("accelbench", "full"), "RoleBinding", "ClusterRoleBinding")
        self.assertNotIn("accelbench-engine", [subject["name"] for item in bindings for subject in item["subjects"]])

    def test_nobody_may_do_everything(self):
        for item in plain("rbac.yaml") + plain("rbac-worker-outside.yaml"):
            for rule in item.get("rules", []):
                self.assertNotIn("*", rule["verbs"] + rule["resources"] + rule["apiGroups"], item["name"])

    def test_pods_without_rights_get_no_token(self):
        for chart, case in charts.cases():
            for name, _, pod in charts.pod_specs(charts.objects(chart, case)):
                if "serviceAccountName" not in pod:
                    self.assertIs(pod.get("automountServiceAccountToken"), False, f"{case}: {name}")
