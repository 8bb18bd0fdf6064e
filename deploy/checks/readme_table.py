"""The tables of values in our charts' READMEs, made from the schemas' descriptions and the defaults.

    python readme_table.py         renews them
"""

import json
import re

import helm_python

import charts

MARKS = "<!-- values -->\n", "<!-- /values -->"


def rows(schema, defaults, path=""):
    for key, below in schema["properties"].items():
        if key == "global":
            continue
        default = defaults.get(key) if isinstance(defaults, dict) else None
        if "properties" in below and path + key != "kubernetes":
            yield from rows(below, default or {}, f"{path}{key}.")
        else:
            shown = "" if default in (None, "", [], {}) else f"`{json.dumps(default)}`".replace('"', "")
            yield f"| `{path}{key}` | {shown} | {below.get('description', '')} |"


def table(chart):
    schema = json.loads((charts.path(chart) / "values.schema.json").read_text())
    defaults = helm_python.Chart.load(str(charts.path(chart))).values
    return "\n".join(["| value | default | |", "|---|---|---|", *rows(schema, defaults)]) + "\n"


def renewed(chart, text):
    """The README with the current table."""
    begin, end = MARKS
    return re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: begin + table(chart) + end, text, flags=re.DOTALL)


if __name__ == "__main__":
    for name in charts.CHARTS:
        readme = charts.path(name) / "README.md"
        readme.write_text(renewed(name, readme.read_text()))
