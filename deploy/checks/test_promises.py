"""What the charts promise: hardened pods, fixed images, fenced access, bounded spending."""

import re
import unittest

import charts

EVERYTHING = ("0.0.0.0/0", "::/0")


def each_case(chart):
    return [(case, charts.objects(chart, case)) for name, case in charts.cases() if name == chart]


class Pods(unittest.TestCase):
    def each_container(self):
        for case, items in each_case("accelbench"):
            for name, _, pod in charts.pod_specs(items):
                for container in pod["containers"]:
                    yield f"{case}: {name}", pod, container

    def test_every_container_is_hardened(self):
        for where, pod, container in self.each_container():
            security = container["securityContext"]
            self.assertIs(security["readOnlyRootFilesystem"], True, where)
            self.assertIs(security["allowPrivilegeEscalation"], False, where)
            self.assertEqual(security["capabilities"]["drop"], ["ALL"], where)
            self.assertEqual(pod["securityContext"]["runAsUser"], 65532, where)
            self.assertIs(pod["securityContext"]["runAsNonRoot"], True, where)
            self.assertEqual(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", where)

    def test_every_container_says_what_it_needs(self):
        for where, _, container in self.each_container():
            self.assertIn("memory", container["resources"]["limits"], where)
            self.assertLessEqual({"cpu", "memory"}, set(container["resources"]["requests"]), where)

    def test_images_are_fixed(self):
        for where, _, container in self.each_container():
            self.assertRegex(container["image"], r"(:[0-9][\w.-]*|@sha256:[0-9a-f]{64})$", where)

    def test_secrets_are_named_and_never_written(self):
        for case, items in each_case("accelbench"):
            self.assertEqual(charts.of_kind(items, "Secret"), [], case)
        for where, _, container in self.each_container():
            for variable in container.get("env", []):
                if re.search(r"DATABASE_URL|SECRET|TOKEN", variable["name"]):
                    self.assertIn("secretKeyRef", variable["valueFrom"], where)

    def test_no_pod_outlives_its_use(self):
        for case, items in each_case("accelbench"):
            for name, _, pod in charts.pod_specs(charts.of_kind(items, "Pod")):
                self.assertIn("activeDeadlineSeconds", pod, f"{case}: {name}")
            for job in charts.of_kind(items, "Job"):
                self.assertIn("activeDeadlineSeconds", job["spec"], case)
            for cron in charts.of_kind(items, "CronJob"):
                self.assertEqual(cron["spec"]["concurrencyPolicy"], "Forbid", case)
                self.assertIn("activeDeadlineSeconds", cron["spec"]["jobTemplate"]["spec"], case)


class Access(unittest.TestCase):
    def test_every_pod_is_behind_one_policy(self):
        for case, items in each_case("accelbench"):
            policies = [item["spec"] for item in charts.of_kind(items, "NetworkPolicy")]
            if not policies:
                self.assertEqual(case, "existing-cluster")
                continue
            for name, labels, _ in charts.pod_specs(items):
                fitting = [policy for policy in policies
                           if policy["podSelector"]["matchLabels"].items() <= labels.items()]
                self.assertEqual(len(fitting), 1, f"{case}: {name}")
                self.assertEqual(sorted(fitting[0]["policyTypes"]), ["Egress", "Ingress"], f"{case}: {name}")

    def test_no_policy_opens_the_way_to_a_nodes_credentials(self):
        for case, items in each_case("accelbench"):
            for policy in charts.of_kind(items, "NetworkPolicy"):
                for rule in policy["spec"]["egress"]:
                    for peer in rule.get("to", []):
                        if peer.get("ipBlock", {}).get("cidr") in EVERYTHING:
                            self.assertTrue(peer["ipBlock"]["except"][0].startswith(("169.254.169.254", "fd00:ec2::254")))

    def test_who_signs_tokens_for_the_database_reaches_its_credentials(self):
        agent = {"ipBlock": {"cidr": "169.254.170.23/32"}}
        for case, components in (("iam", ["api", "migrate", "worker"]), ("aurora", ["worker"])):
            items = charts.objects("accelbench", case)
            reached = [policy["metadata"]["name"].removeprefix("accelbench-") for policy in charts.of_kind(items, "NetworkPolicy")
                       if any(agent in rule.get("to", []) for rule in policy["spec"]["egress"])]
            self.assertEqual(sorted(reached), components, case)
        accounts = {name: pod.get("serviceAccountName") for name, _, pod in charts.pod_specs(charts.objects("accelbench", "iam"))}
        self.assertEqual(accounts["accelbench-api"], "accelbench-database")
        self.assertEqual(accounts["accelbench-migrate"], "accelbench-database")

    def test_nothing_is_reached_from_outside_unless_asked_for(self):
        for case, items in each_case("accelbench"):
            for service in charts.of_kind(items, "Service"):
                self.assertEqual(service["spec"]["type"], "ClusterIP", case)
            self.assertEqual(len(charts.of_kind(items, "Ingress")), int(case.startswith("ingress")), case)

    def test_an_ingress_has_its_fence(self):
        annotations = {case: charts.of_kind(items, "Ingress")[0]["metadata"]["annotations"]
                       for case, items in each_case("accelbench") if case.startswith("ingress")}
        alb, nginx = annotations["ingress-alb"], annotations["ingress-nginx"]
        self.assertEqual(alb["alb.ingress.kubernetes.io/scheme"], "internal")
        self.assertEqual(alb["alb.ingress.kubernetes.io/inbound-cidrs"], "10.8.0.0/16,192.0.2.0/24")
        self.assertEqual(nginx["nginx.ingress.kubernetes.io/whitelist-source-range"], "10.8.0.0/16")


class Spending(unittest.TestCase):
    def test_every_pool_has_a_limit(self):
        for case, items in each_case("accelbench-nodes"):
            for pool in charts.of_kind(items, "NodePool"):
                self.assertIn("nodes", pool["spec"]["limits"], case)
                if "replicas" in pool["spec"]:
                    self.assertEqual(list(pool["spec"]["limits"]), ["nodes"], "Karpenter takes no other on a static pool")
                else:
                    self.assertEqual(len(pool["spec"]["limits"]), 2, case)

    def test_idle_nodes_end_after_ten_minutes(self):
        for pool in charts.of_kind(charts.objects("accelbench-nodes", "minimal"), "NodePool"):
            disruption = pool["spec"]["disruption"]
            self.assertEqual(disruption["consolidateAfter"], "10m")
            self.assertEqual(disruption["consolidationPolicy"], "WhenEmpty")
            self.assertIn({"nodes": "0", "reasons": ["Drifted", "Underutilized"]}, disruption["budgets"])
            self.assertIn("terminationGracePeriod", pool["spec"]["template"]["spec"])

    def test_nothing_is_always_on_by_default(self):
        for pool in charts.of_kind(charts.objects("accelbench-nodes", "minimal"), "NodePool"):
            self.assertNotIn("replicas", pool["spec"])
            self.assertNotIn("weight", pool["spec"])

    def test_two_pools_have_accelerators_as_the_prd_says(self):
        pools = charts.of_kind(charts.objects("accelbench-nodes", "minimal"), "NodePool")
        families = {pool["metadata"]["name"]: pool["spec"]["template"]["spec"]["requirements"][1]["values"] for pool in pools}
        self.assertEqual(families["accelbench-gpu"], ["g5", "g6", "g6e", "p4d", "p5", "p5e"])
        self.assertEqual(families["accelbench-neuron"], ["inf2", "trn1", "trn2"])
        self.assertEqual(len(families), 3)

    def test_spot_is_taken_only_when_asked_for(self):
        for case, items in each_case("accelbench-nodes"):
            for pool in charts.of_kind(items, "NodePool"):
                requirements = {item["key"]: item["values"] for item in pool["spec"]["template"]["spec"]["requirements"]}
                spot = "spot" in requirements["karpenter.sh/capacity-type"]
                self.assertEqual(spot, (case, pool["metadata"]["name"]) == ("reserved", "accelbench-neuron"))

    def test_nodes_keep_their_credentials_and_disks_to_themselves(self):
        for case, items in each_case("accelbench-nodes"):
            for node_class in charts.of_kind(items, "EC2NodeClass"):
                spec = node_class["spec"]
                self.assertEqual(spec["metadataOptions"]["httpTokens"], "required", case)
                self.assertEqual(spec["metadataOptions"]["httpPutResponseHopLimit"], 1, case)
                self.assertTrue(all(disk["ebs"]["encrypted"] for disk in spec["blockDeviceMappings"]), case)

    def test_inf2_has_room_without_a_local_disk(self):
        node_class = charts.named(charts.objects("accelbench-nodes", "minimal"), "EC2NodeClass", "accelbench-neuron")
        self.assertEqual(node_class["spec"]["blockDeviceMappings"][0]["ebs"]["volumeSize"], "500Gi")

    def test_the_notes_say_what_is_always_on(self):
        static = charts.render("accelbench-nodes", charts.values("accelbench-nodes", "static"))
        notes = next(text for name, text in static.items() if name.endswith("NOTES.txt"))
        self.assertIn("together 4.48 USD/h, 3271 USD a month", notes)
        aurora = charts.render("accelbench", charts.values("accelbench", "aurora"))
        notes = next(text for name, text in aurora.items() if name.endswith("NOTES.txt"))
        self.assertIn("0.32 USD/h, 234 USD a month", notes)
