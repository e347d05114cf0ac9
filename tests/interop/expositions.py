"""What programs tell in the text format of Prometheus, held against the list of all names."""

import re

from dashboards import CATALOGUE
from report import Mismatch

_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)')
_PART = re.compile(r"_(?:bucket|sum|count)$")


def catalogue():
    """Every metric by name, with its type and its labels."""
    found = {}
    for line in CATALOGUE.read_text().splitlines():
        kind, name, labels = re.fullmatch(r"(\w+) (\w+) \{([\w,]*)\}", line).groups()
        found[name] = kind, set(filter(None, labels.split(",")))
    return found


class Scrape:
    """One page of metrics: the type of each metric, and the value of each series."""

    def __init__(self, text):
        self.text = text
        self.types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
        self.series = {}
        for line in text.splitlines():
            if line.startswith("#") or not line:
                continue
            parts = _SAMPLE.fullmatch(line)
            if not parts or _LABEL.sub("", parts[2] or ""):
                raise Mismatch(f"no sample: {line}")
            series = parts[1], frozenset(_LABEL.findall(parts[2] or ""))
            if series in self.series:
                raise Mismatch(f"told twice: {line}")
            self.series[series] = float(parts[3])

    def metric(self, name):
        """The metric that a sample belongs to: a histogram has samples of three names."""
        whole = _PART.sub("", name)
        return whole if name not in self.types and self.types.get(whole) == "histogram" else name

    def labels(self):
        """Names of the labels of each series, by metric; `le` is the format's own."""
        for name, labels in self.series:
            metric = self.metric(name)
            own = {"le"} if metric != name else set()
            yield metric, {label for label, _ in labels} - own

    def counting(self):
        """Series that count, of counters and histograms, with their values."""
        kinds = {"counter", "histogram"}
        return {series: value for series, value in self.series.items() if self.types.get(self.metric(series[0])) in kinds}

    def has(self, name):
        return any(its == name for its, _ in self.series)

    def counted(self, name):
        """Labels of the series of this name that are not at 0."""
        return [sorted(labels) for (its, labels), value in self.series.items() if its == name and value]

    def total(self, name, **labels):
        """The sum over all series of this name that have these labels."""
        return sum(value for (its, pairs), value in self.series.items() if its == name and labels.items() <= set(pairs))


def mistakes(scrape, operators):
    """What the list of all names does not have like this. Labels that operators chose stand at stamp_session_info alone."""
    known = catalogue()
    found = set()
    for metric, labels in scrape.labels():
        kind, own = known.get(metric, (None, set()))
        if kind is None:
            found.add(f"{metric} is not in the list")
            continue
        if scrape.types.get(metric) != kind:
            found.add(f"{metric} is a {scrape.types.get(metric)}")
        if foreign := labels - own - (operators if metric == "stamp_session_info" else set()):
            found.add(f"{metric} has {sorted(foreign)}")
    return sorted(found)


def unseen(scrapes, exceptions):
    """What the list has and no scrape: metrics by name, labels as (metric, label). An exception has to be one."""
    seen = {}
    for scrape in scrapes:
        for metric, labels in scrape.labels():
            seen.setdefault(metric, set()).update(labels)
    found = set()
    for metric, (_, labels) in catalogue().items():
        if metric not in seen:
            found.add(metric)
        else:
            found |= {(metric, label) for label in labels - seen[metric]}
    return sorted(map(str, found ^ set(exceptions)))
