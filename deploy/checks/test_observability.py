"""Alerts, dashboard and what scrapes: every metric that they name is one that the program shows, every alert has a test
and a section of the runbook, and Prometheus's own tool agrees."""

import json
import os
import re
import shutil
import subprocess
import unittest

import yaml

import charts
import documents

FILES = charts.path("accelbench") / "files"
TESTS = charts.DEPLOY / "observability" / "alerts_test.yaml"
SHOWN = charts.REPOSITORY / "tests" / "it" / "metrics.txt"
PROMTOOL = os.environ.get("ACCELBENCH_PROMTOOL") or shutil.which("promtool")
SUFFIXES = "_total|_bucket|_count|_sum"


def alerts():
    return [rule for group in yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]


def panels():
    return json.loads((FILES / "dashboard.json").read_text())["panels"]


def named(expression):
    return {re.sub(f"({SUFFIXES})$", "", name) for name in re.findall(r"\baccelbench_\w+", expression)}


class Alerts(unittest.TestCase):
    def test_every_alert_has_its_section_of_the_runbook(self):
        anchors = documents.anchors(charts.REPOSITORY / "docs" / "runbook.md")
        for alert in alerts():
            page, _, anchor = alert["annotations"]["runbook"].partition("#")
            self.assertEqual(page, "docs/runbook.md", alert["alert"])
            self.assertIn(anchor, anchors, alert["alert"])

    def test_every_alert_says_what_is_wrong_and_how_bad_it_is(self):
        for alert in alerts():
            self.assertIn(alert["labels"]["severity"], ("critical", "warning"), alert["alert"])
            self.assertGreater(len(alert["annotations"]["summary"]), 20, alert["alert"])

    def test_every_alert_is_tested_to_come_and_to_stay_away(self):
        cases = [case for test in yaml.safe_load(TESTS.read_text())["tests"] for case in test["alert_rule_test"]]
        for alert in alerts():
            outcomes = {bool(case["exp_alerts"]) for case in cases if case["alertname"] == alert["alert"]}
            self.assertEqual(outcomes, {True, False}, alert["alert"])

    @unittest.skipUnless(PROMTOOL, "THE ALERTS ARE NOT RUN: there is no promtool here (Debian: prometheus)")
    def test_prometheus_agrees(self):
        for arguments in (["check", "rules", FILES / "alerts.yaml"], ["test", "rules", TESTS.name]):
            done = subprocess.run([PROMTOOL, *arguments], cwd=TESTS.parent, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        print(f"alerts: {len(alerts())} come and stay away as their tests say")


class Metrics(unittest.TestCase):
    """tests/it/metrics.rs holds the list of what is shown against a real server and a real worker."""

    def test_rules_and_panels_name_what_is_shown(self):
        shown = {line.split()[0] for line in SHOWN.read_text().splitlines()}
        for where, expression in [*((alert["alert"], alert["expr"]) for alert in alerts()),
                                  *((panel["title"], target["expr"]) for panel in panels() for target in panel["targets"])]:
            self.assertTrue(named(expression), where)
            self.assertLessEqual(named(expression), shown, where)

    def test_every_metric_is_in_the_documents(self):
        text = (charts.DEPLOY / "observability" / "README.md").read_text()
        for line in SHOWN.read_text().splitlines():
            self.assertIn(f"`{line.split()[0]}`", text)


class Chart(unittest.TestCase):
    def test_what_scrapes_finds_servers_and_workers_and_nothing_else(self):
        items = charts.objects("accelbench", "full")
        service = charts.named(items, "Service", "accelbench-metrics")
        monitor = charts.named(items, "ServiceMonitor", "accelbench-metrics")
        self.assertLessEqual(monitor["spec"]["selector"]["matchLabels"].items(), service["metadata"]["labels"].items())
        self.assertEqual(monitor["spec"]["endpoints"][0]["port"], service["spec"]["ports"][0]["name"])
        found = [name for name, labels, pod in charts.pod_specs(items)
                 if service["spec"]["selector"].items() <= labels.items()]
        self.assertEqual(sorted(found), ["accelbench-api", "accelbench-worker"])
        for name, _, pod in charts.pod_specs(items):
            if name in found:
                ports = {port["name"]: port["containerPort"] for port in pod["containers"][0]["ports"]}
                bound = next(entry["value"] for entry in pod["containers"][0]["env"] if entry["name"] == "ACCELBENCH_METRICS_BIND")
                self.assertEqual(bound, f"0.0.0.0:{ports['metrics']}")

    def test_metrics_are_reached_from_the_scrapers_namespace_alone(self):
        for case, namespace in (("full", "observability"), ("minimal", "monitoring")):
            for component in ("api", "worker"):
                policy = charts.named(charts.objects("accelbench", case), "NetworkPolicy", f"accelbench-{component}")
                rules = [rule for rule in policy["spec"]["ingress"] if {"port": 9464, "protocol": "TCP"} in rule["ports"]]
                self.assertEqual([rule["from"] for rule in rules], [[
                    {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}]], component)

    def test_the_ingress_leads_to_no_metrics(self):
        for case in ("ingress-alb", "ingress-nginx"):
            ingress = charts.of_kind(charts.objects("accelbench", case), "Ingress")[0]
            self.assertNotIn("metrics", json.dumps(ingress["spec"]))

    def test_the_operator_gets_the_rules_to_the_letter(self):
        rule = charts.named(charts.objects("accelbench", "full"), "PrometheusRule", "accelbench-alerts")
        self.assertEqual(rule["spec"], yaml.safe_load((FILES / "alerts.yaml").read_text()))
        dashboard = charts.named(charts.objects("accelbench", "full"), "ConfigMap", "accelbench-dashboard")
        self.assertEqual(json.loads(dashboard["data"]["accelbench.json"])["title"], "AccelBench")

    def test_nothing_of_the_operator_is_there_unasked(self):
        items = charts.objects("accelbench", "minimal")
        self.assertEqual(charts.of_kind(items, "ServiceMonitor", "PrometheusRule"), [])

    def test_workers_are_restarted_for_silence_and_not_for_a_database(self):
        worker = charts.named(charts.objects("accelbench", "minimal"), "Deployment", "accelbench-worker")
        container = worker["spec"]["template"]["spec"]["containers"][0]
        self.assertEqual(container["livenessProbe"]["httpGet"], {"path": "/healthz", "port": "metrics"})
        self.assertEqual(container["readinessProbe"]["httpGet"], {"path": "/readyz", "port": "metrics"})
