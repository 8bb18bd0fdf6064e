"""What a worker writes for a run, taken from the snapshots of its builders' tests, fits what the charts install: pods
find a pool that takes them, load generators get through to the servers, workers to the engines."""

import json
import pathlib
import unittest

import yaml

import charts
import kubernetes

SNAPSHOTS = charts.REPOSITORY / "worker/src/platform/kubernetes/manifests/snapshots"
ADDONS = {"gpu": ["nvidia-device-plugin", "dcgm-exporter"], "neuron": ["neuron"]}


def written():
    """Every object that the snapshots show, with the scenario's name."""
    for file in sorted(SNAPSHOTS.glob("*.snap")):
        _, _, body = file.read_text().split("---\n", 2)
        for item in yaml.safe_load(body):
            yield file.stem.rsplit("__", 1)[1], item


def run_pods():
    """The pods of runs on accelerators; the simulator's snapshot is of a test cluster that has no pools."""
    found = [(scenario, item["metadata"]["labels"]["app.kubernetes.io/component"],
              item["spec"]["template"]["metadata"]["labels"], item["spec"]["template"]["spec"])
             for scenario, item in written() if item["kind"] in ("Deployment", "Job") and scenario != "simulator"]
    if len(found) < 8:
        raise AssertionError(f"only {len(found)} pods are in the snapshots: were they moved?")
    return found


def tolerated(taints, tolerations):
    return all(any(allowed["key"] == taint["key"]
                   and (allowed.get("operator") == "Exists" or allowed.get("value") == taint["value"])
                   and allowed.get("effect", taint["effect"]) == taint["effect"] for allowed in tolerations)
               for taint in taints)


def admits(peers, labels, namespace, own_namespace):
    """Whether a NetworkPolicy's peers let a pod through."""
    for peer in peers:
        if "podSelector" not in peer:
            continue
        wanted = peer.get("namespaceSelector", {}).get("matchLabels", {})
        where = wanted.get("kubernetes.io/metadata.name", own_namespace)
        if where == namespace and peer["podSelector"]["matchLabels"].items() <= labels.items():
            return True
    return False


class Manifests(unittest.TestCase):
    def test_every_supported_kubernetes_takes_what_workers_write(self):
        checked = 0
        for scenario, item in written():
            for version in kubernetes.VERSIONS:
                with self.subTest(scenario=scenario, kind=item["kind"], version=version):
                    kubernetes.validate(item, version)
                    checked += 1
        print(f"runs: {checked} validations of what workers write")


class Nodes(unittest.TestCase):
    def test_every_pod_of_a_run_finds_a_pool_that_takes_it(self):
        pools = charts.of_kind(charts.objects("accelbench-nodes", "minimal"), "NodePool")
        for scenario, component, _, pod in run_pods():
            wanted = pod["nodeSelector"]["accelbench.dev/pool"]
            fitting = [pool for pool in pools
                       if pool["spec"]["template"]["metadata"]["labels"]["accelbench.dev/pool"] == wanted]
            self.assertEqual(len(fitting), 1, f"{scenario}: {component} wants the pool {wanted}")
            template = fitting[0]["spec"]["template"]["spec"]
            self.assertTrue(tolerated(template["taints"], pod["tolerations"]), f"{scenario}: {component}")
            instance = pod["nodeSelector"].get("node.kubernetes.io/instance-type")
            if instance:
                families = next(requirement["values"] for requirement in template["requirements"]
                                if requirement["key"] == "karpenter.k8s.aws/instance-family")
                self.assertIn(instance.split(".")[0], families)

    def test_pods_of_other_teams_are_kept_off(self):
        for case in ("minimal", "static", "reserved"):
            for pool in charts.of_kind(charts.objects("accelbench-nodes", case), "NodePool"):
                taints = pool["spec"]["template"]["spec"]["taints"]
                vendors_alone = [{"key": key, "operator": "Exists"}
                                 for key in ("nvidia.com/gpu", "aws.amazon.com/neuron")]
                self.assertFalse(tolerated(taints, vendors_alone), pool["metadata"]["name"])

    def test_vendors_daemons_land_on_our_nodes(self):
        pools = charts.objects("accelbench-nodes", "minimal")
        for pool, addons in ADDONS.items():
            template = charts.named(pools, "NodePool", f"accelbench-{pool}")["spec"]["template"]
            for addon in addons:
                values = yaml.safe_load((charts.DEPLOY / "addons" / f"{addon}.yaml").read_text())
                values = values.get("devicePlugin", values)
                self.assertTrue(tolerated(template["spec"]["taints"], values["tolerations"]), addon)
                selector = values.get("nodeSelector", {}).items()
                self.assertLessEqual(selector, template["metadata"]["labels"].items(), addon)

    def test_neurons_plugin_knows_every_instance_that_we_seed(self):
        listed = yaml.safe_load((charts.DEPLOY / "addons/neuron.yaml").read_text())["neuronInstances"]
        families = charts.named(charts.objects("accelbench-nodes", "minimal"), "NodePool", "accelbench-neuron")
        families = families["spec"]["template"]["spec"]["requirements"][1]["values"]
        seeded = [line.split(",")[0] for line in (charts.REPOSITORY / "store/seed/instances.csv").read_text().split("\n")]
        for instance in seeded:
            if instance.split(".")[0] in families:
                self.assertIn(instance, listed)


class Installation(unittest.TestCase):
    def test_load_generators_reach_the_servers(self):
        policy = charts.named(charts.objects("accelbench", "minimal"), "NetworkPolicy", "accelbench-api")
        peers = next(rule["from"] for rule in policy["spec"]["ingress"] if rule["ports"][0]["port"] == 8080)
        for scenario, component, labels, _ in run_pods():
            allowed = admits(peers, labels, "accelbench-runs", "accelbench")
            self.assertEqual(allowed, component == "loadgen", f"{scenario}: {component}")

    def test_workers_and_engines_reach_each_other(self):
        items = charts.objects("accelbench", "minimal")
        worker = dict(charts.named(items, "Deployment", "accelbench-worker")["spec"]["template"]["metadata"]["labels"])
        egress = charts.named(items, "NetworkPolicy", "accelbench-worker")["spec"]["egress"]
        peers = [peer for rule in egress for peer in rule.get("to", [])]
        for scenario, component, labels, _ in run_pods():
            if component == "engine":
                self.assertTrue(admits(peers, labels, "accelbench-runs", "accelbench"), scenario)
        for scenario, item in written():
            if item["kind"] == "NetworkPolicy" and item["metadata"]["name"].endswith("-engine"):
                peers = item["spec"]["ingress"][0]["from"]
                self.assertTrue(admits(peers, worker, "accelbench", "accelbench-runs"), scenario)

    def test_what_runs_name_is_installed(self):
        items = charts.objects("accelbench", "minimal")
        for _, component, _, pod in run_pods():
            charts.named(items, "PriorityClass", pod["priorityClassName"])
            if component == "loadgen":
                charts.named(items, "ServiceAccount", pod["serviceAccountName"])

    def test_workers_settings_are_those_that_the_program_is_tested_with(self):
        for case in ("minimal", "full"):
            settings = charts.named(charts.objects("accelbench", case), "ConfigMap", "accelbench-worker")
            rendered = json.loads(settings["data"]["cluster.json"])
            kept = charts.path("accelbench") / "ci" / f"{case}.cluster.json"
            self.assertEqual(rendered, json.loads(kept.read_text()), f"renew {pathlib.Path(kept).name}")
