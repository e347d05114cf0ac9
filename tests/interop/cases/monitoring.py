"""What `dashboards/` and `docs/runbooks` ship, against Prometheus' own tools and the rules for dashboards."""

import re
import subprocess
import tempfile
from pathlib import Path

import dashboards
from cases.prometheus import promtool
from programs import INSTALLED, REFLECTOR, REPOSITORY, SENDER
from report import Unavailable, case, expect, expect_true

AMTOOL = INSTALLED / "prometheus" / "usr" / "bin" / "amtool"
RULES = dashboards.FOLDER / "prometheus"
RUNBOOKS = REPOSITORY / "docs" / "runbooks"


def alerts():
    """Every alert by name with its text."""
    parts = re.split(r"\n      - alert: ", (RULES / "alerts.yml").read_text())[1:]
    return {part.split("\n", 1)[0]: part for part in parts}


@case("promtool", "Prometheus", "rules and alerts: each fires, stays silent, resolves")
def rules():
    files = [str(RULES / "recording.yml"), str(RULES / "alerts.yml")]
    status, text = promtool("check", "rules", *files)
    expect(status, 0, f"promtool check rules: {text}")
    files = sorted(RULES.glob("tests-*.yml"))
    status, text = promtool("test", "rules", *map(str, files))
    expect(status, 0, f"promtool test rules: {text}")
    for file in sorted(RULES.glob("prometheus*.yml")):
        status, text = promtool("check", "config", str(file))
        expect(status, 0, f"promtool check config {file.name}: {text}")
    tests = [test for file in files for test in file.read_text().split("\n  # ")[1:]]
    for name in dashboards.recorded():
        tested = any(re.search(rf"- expr: .*\b{name}\b.*\n +eval_time: .*\n +exp_samples:(?! \[\])", test) for test in tests)
        expect_true(tested, f"{name} has no test that says what it comes to")
    for name in alerts():
        of_it = [test for test in tests if f"alertname: {name}\n" in test]
        fires = any(
            re.search(r"exp_alerts: \[\][\s\S]*exp_labels:[\s\S]*exp_alerts: \[\]", test) for test in of_it
        )
        silent = any("exp_labels" not in test for test in of_it)
        expect_true(fires and silent, f"{name} has no test that fires and resolves, or none that stays silent")


@case("promtool", "Prometheus", "every metric in rules and alerts is told, every alert is explained")
def names_and_runbooks():
    for file in ("recording.yml", "alerts.yml"):
        text = re.sub(r"^ *#.*$", "", (RULES / file).read_text(), flags=re.MULTILINE)
        expressions = re.findall(r"expr: (?:\|\n((?:\s{10,}.*\n)+)|(.*))", text)
        names = dashboards.unknown_names(" ".join(a + b for a, b in expressions))
        expect(names, [], f"metrics in {file} that no program tells")
    helps = {
        program.name: subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
        for program in (SENDER, REFLECTOR)
    }
    known = alerts()
    expect(sorted(path.stem for path in RUNBOOKS.glob("*.md")), sorted(known), "runbook pages")
    for name, text in known.items():
        for key in ("summary:", "description:", f"runbooks/{name}.md", "dashboard_url:"):
            expect_true(key in text, f"{name} has no {key}")
        page = (RUNBOOKS / f"{name}.md").read_text()
        expect_true(
            page.startswith(f"# {name}\n\nType first:\n\n```console\n$ "), f"{name}.md begins with nothing to type"
        )
        for program, words in re.findall(r"^\$ (stamp-sender|stamp-reflector) (.*)$", page, re.MULTILINE):
            for flag in re.findall(r"--[a-z-]+", words):
                expect_true(flag in helps[program], f"{name}.md: {program} has no {flag}")


@case("amtool", "Alertmanager", "the example: taken; a session that is down silences its other alerts")
def alertmanager():
    if not AMTOOL.exists():
        raise Unavailable(f"{AMTOOL} is not installed")
    file = str(dashboards.FOLDER / "alertmanager" / "alertmanager.yml")
    ended = subprocess.run([AMTOOL, "check-config", file], capture_output=True, text=True, check=False)
    expect(ended.returncode, 0, f"amtool check-config: {ended.stdout}{ended.stderr}")
    route = [AMTOOL, "config", "routes", "test", f"--config.file={file}"]
    for labels, receiver in (
        (["alertname=StampExporterAbsent", "severity=critical"], "controller"),
        (["alertname=StampSessionDown", "severity=critical"], "people"),
        (["alertname=StampLossBurn", "severity=warning"], "people"),
    ):
        ended = subprocess.run([*route, *labels], capture_output=True, text=True, check=True)
        expect(ended.stdout.strip(), receiver, f"receiver of {labels}")


@case("promtool", "Prometheus", "dashboards: rules of the linter hold, every query parses")
def linted():
    found = []
    expressions = []
    for name, dashboard in dashboards.dashboards().items():
        wrong = list(dashboards.problems(name, dashboard))
        found += wrong
        asked = [annotation["expr"] for annotation in dashboard["annotations"]["list"]]
        for panel, target in dashboards.queries(dashboard):
            asked.append(target["expr"])
            expect_true(bool(panel["gridPos"]["w"]), "a panel without a place")
        if not wrong:
            asked += [selector for _, selector, _ in dashboards.variables(dashboard)]
        variables = dict.fromkeys(("job", "instance", "session", "policy"), ".+")
        expressions += [dashboards.substituted(expression, variables) for expression in asked]
    expect(found, [], "what is wrong with dashboards")
    expect(len({d["uid"] for d in dashboards.dashboards().values()}), 5, "dashboards")
    rules = "".join(
        f"      - record: panel:query:{number}\n        expr: {expression!r}\n"
        for number, expression in enumerate(expressions)
    ).replace("panel:query:", "panel:query:n")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "queries.yml"
        file.write_text(f"groups:\n  - name: panels\n    rules:\n{rules}")
        status, text = promtool("check", "rules", str(file))
    expect(status, 0, f"queries of panels: {text}")
