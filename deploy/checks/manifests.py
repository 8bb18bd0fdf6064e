"""Prints the objects of a case of a chart as a List, as `helm template` would in the order in which Helm takes them.

    python manifests.py CHART CASE hooks|release|tests|jobs [--old]

jobs: what the CronJobs would start, as Jobs.

--old: for the control plane of the cluster tests, which knows some kinds by their earlier versions alone.
"""

import json
import sys

import charts

EARLIER = {("batch/v1", "CronJob"): "batch/v1beta1", ("policy/v1", "PodDisruptionBudget"): "policy/v1beta1"}


def phase(item):
    hook = item["metadata"].get("annotations", {}).get("helm.sh/hook", "")
    return "hooks" if hook.startswith("pre-install") else "tests" if hook == "test" else "release"


def for_old(item):
    """The same object for Kubernetes 1.20, which knows no sleep before the end."""
    item = {**item, "apiVersion": EARLIER.get((item["apiVersion"], item["kind"]), item["apiVersion"])}
    for _, _, pod in charts.pod_specs([item]):
        for container in pod["containers"]:
            container.pop("lifecycle", None)
    return item


def job_of(cron):
    """What a CronJob starts, now."""
    metadata = {key: cron["metadata"][key] for key in ("name", "namespace", "labels")}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": cron["spec"]["jobTemplate"]["spec"]}


def chosen(items, wanted):
    if wanted == "jobs":
        return [job_of(item) for item in charts.of_kind(items, "CronJob")]
    return [item for item in items if phase(item) == wanted]


if __name__ == "__main__":
    chart, case, wanted, *options = sys.argv[1:]
    items = chosen(charts.objects(chart, case), wanted)
    items = [for_old(item) for item in items] if "--old" in options else items
    # Namespaces first: what is in them comes after.
    items.sort(key=lambda item: item["kind"] != "Namespace")
    print(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
