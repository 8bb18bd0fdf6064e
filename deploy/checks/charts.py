"""Renders our charts as Helm does, one dictionary for each object."""

import functools
import pathlib

import helm_python
import yaml

DEPLOY = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = DEPLOY.parent
CHARTS = ["accelbench", "accelbench-nodes"]


def path(chart):
    return DEPLOY / "helm" / chart


def cases():
    """Every chart with each of its ci/*.yaml."""
    return [(chart, case.stem) for chart in CHARTS for case in sorted((path(chart) / "ci").glob("*.yaml"))]


def values(chart, case):
    return yaml.safe_load((path(chart) / "ci" / f"{case}.yaml").read_text())


def problems(chart, given):
    """What `helm lint --strict` has to say."""
    report = helm_python.lint(str(path(chart)), given, strict=True, namespace="accelbench")
    return [message["error"] for message in report["messages"] if message["severity"] > 1]


def render(chart, given, name="accelbench", namespace="accelbench"):
    """Texts by template, with the notes among them."""
    return helm_python.Chart.load(str(path(chart))).render(given, name=name, namespace=namespace)


@functools.cache
def objects(chart, case):
    """Every object of a case."""
    texts = render(chart, values(chart, case))
    manifests = (text for name, text in texts.items() if name.endswith(".yaml"))
    return [item for text in manifests for item in yaml.safe_load_all(text) if item]


def of_kind(items, *kinds):
    return [item for item in items if item["kind"] in kinds]


def named(items, kind, name):
    found = [item for item in of_kind(items, kind) if item["metadata"]["name"] == name]
    if len(found) != 1:
        raise AssertionError(f"there are {len(found)} objects {kind}/{name}, not one")
    return found[0]


def pod_specs(items):
    """The pods of an object's kind, by the object's name."""
    for item in items:
        if item["kind"] == "Pod":
            yield item["metadata"]["name"], item["metadata"]["labels"], item["spec"]
        elif item["kind"] in ("Deployment", "Job"):
            template = item["spec"]["template"]
            yield item["metadata"]["name"], template["metadata"]["labels"], template["spec"]
        elif item["kind"] == "CronJob":
            template = item["spec"]["jobTemplate"]["spec"]["template"]
            yield item["metadata"]["name"], template["metadata"]["labels"], template["spec"]
