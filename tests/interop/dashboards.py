"""What `dashboards/` ships: panels, their queries, and the rules that all of them keep."""

import json
import re

from programs import REPOSITORY

FOLDER = REPOSITORY / "dashboards"
CATALOGUE = REPOSITORY / "stamp-metrics" / "reference" / "metrics.txt"
UNITS = {"s", "percentunit", "pps", "bytes", "short", "bool_yes_no"}
# What a histogram is read by.
PARTS = re.compile(r"_(bucket|sum|count)$")
NAME = re.compile(r"\b(?:stamp|process)_[a-z0-9_]+\b")
# What a recording rule is called; a metric has no colon.
RECORDED = re.compile(r"[a-z_]+:[a-z0-9_:]+")
# How a variable asks for the values of a label.
LABEL_VALUES = re.compile(r"label_values\((\w+)(\{.*\})?, (\w+)\)")


def metrics():
    """Every metric by name, with its type."""
    return {line.split()[1]: line.split()[0] for line in CATALOGUE.read_text().splitlines()}


def labels():
    """Labels of every metric by name."""
    lines = [line.split(maxsplit=2) for line in CATALOGUE.read_text().splitlines()]
    return {name: set(of_it.strip("{}").split(",")) for _, name, of_it in lines}


def recorded():
    """What recording rules are called."""
    return re.findall(r"- record: (\S+)", (FOLDER / "prometheus" / "recording.yml").read_text())


def dashboards():
    return {path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / "grafana").glob("*.json"))}


def queries(dashboard):
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel, target


def variables(dashboard):
    """What is asked for the values of each variable: the variable, the series that are looked at, the label."""
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            name, matchers, label = LABEL_VALUES.fullmatch(variable["query"]["query"]).groups()
            yield variable, name + (matchers or ""), label


def substituted(expression, variables, window="1m"):
    """A query as Grafana would send it."""
    known = {"__rate_interval": window, "__interval": "15s", **variables}
    # What a replacement of Prometheus takes from a match is none of Grafana's.
    return re.sub(r"\$([a-zA-Z_]\w*)", lambda found: known[found.group(1)], expression)


def unknown_names(text):
    """Metrics that no program of ours tells, and rules that are none."""
    known = metrics()
    rules = set(RECORDED.findall(text))
    text = RECORDED.sub("", text)
    named = set(NAME.findall(text)) | rules - set(recorded())
    histograms = {name for name, kind in known.items() if kind == "histogram"}
    return sorted(
        name for name in named if name not in known and PARTS.sub("", name) not in histograms
    )


def problems(name, dashboard):
    """What the rules of Grafana's dashboard linter, and some of ours, find wrong."""
    known = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    if known.get("datasource", {}).get("type") != "datasource":
        yield f"{name}: the data source is no variable"
    for wanted in ("job", "instance"):
        variable = known.get(wanted, {})
        if not (variable.get("multi") and variable.get("includeAll")):
            yield f"{name}: variable {wanted} does not take several and all"
    earlier = []
    for variable in known.values():
        if variable["type"] == "query":
            yield from (f"{name}: variable {variable['name']}: {problem}" for problem in of_variable(variable, earlier))
        earlier.append(variable["name"])
    for annotation in dashboard["annotations"]["list"]:
        found = list(of_query(annotation["expr"]))
        if annotation["datasource"]["uid"] != "${datasource}":
            found.append("a data source of its own")
        yield from (f"{name}: annotation {annotation['name']}: {problem}" for problem in found)
    if dashboard["editable"] or not dashboard["description"]:
        yield f"{name}: editable, or without a description"
    for panel in dashboard["panels"]:
        yield from (f"{name}: {panel['title']!r}: {problem}" for problem in of_panel(panel))


def of_variable(variable, earlier):
    """`earlier` are the names of those that are chosen before it."""
    if variable["refresh"] != 2:
        yield "is not read again when the time changes"
    if variable["datasource"]["uid"] != "${datasource}":
        yield "a data source of its own"
    query = variable["query"]["query"]
    if variable["definition"] != query:
        yield "its definition is not its query"
    found = LABEL_VALUES.fullmatch(query)
    if not found:
        yield f"asks for no values of a label: {query}"
        return
    metric, matchers, label = found.groups()
    if label not in labels().get(metric, set()) | {"job", "instance"}:
        yield f"{metric} has no label {label}"
    yield from (f"{name} is told by no program" for name in unknown_names(query))
    for name in ("job", "instance"):
        if name in earlier and f'{name}=~"${name}"' not in (matchers or ""):
            yield f"{name} is not chosen in {query}"
    for name in re.findall(r"\$(\w+)", query):
        if name not in earlier:
            yield f"{name} is not chosen before {query}"


def of_panel(panel):
    if not panel["title"] or not panel["description"].endswith("."):
        yield "no title, or no sentence that describes it"
    if panel["fieldConfig"]["defaults"].get("unit") not in UNITS:
        yield "no unit of those that are used"
    if panel["datasource"]["uid"] != "${datasource}":
        yield "a data source of its own"
    if not panel["targets"]:
        yield "nothing is asked"
    for target in panel["targets"]:
        yield from of_query(target["expr"])
        if target["datasource"]["uid"] != "${datasource}":
            yield "a query with a data source of its own"


def of_query(expression):
    for name in unknown_names(expression):
        yield f"{name} is told by no program"
    # A rule is of all senders: what it is called has neither.
    expression = RECORDED.sub("", expression)
    for selector in re.findall(r"\b(?:stamp|process)_[a-z0-9_]+(\{[^}]*\})?", expression):
        if 'job=~"$job"' not in selector or 'instance=~"$instance"' not in selector:
            yield f"job and instance are not chosen in {expression}"
    for window in re.findall(r"\[([^\]]+)\]", expression):
        if window != "$__rate_interval" and not expression.startswith("sum(increase("):
            yield f"a window of its own in {expression}"
    for found in re.finditer(r"\w+_total\b", expression):
        if not re.search(r"\b(?:rate|irate|increase)\($", expression[: found.start()]):
            yield f"{found.group()} is a counter and not read as a rate"
