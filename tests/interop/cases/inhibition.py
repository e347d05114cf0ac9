"""Alertmanager with the shipped file: which alerts silence which, what people are not told, and that it is over."""

import datetime
import json
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from cases.monitoring_chain import DEBIAN, TEMPLATES, Api, alertmanager, prometheus, until, webhook
from cases.prometheus import told
from peers import Relay
from programs import LOOPBACK, REFLECTOR, SENDER, Program, free_port
from report import Unavailable, case, expect

DOWN, LOSS = "StampSessionDown", "StampPathOverLossLimit"
# "cut" has nobody who answers at first; "lossy" goes through a relay that loses what it is told to.
SENDER_FILE = """
web = {{ listen = "127.0.0.1:0" }}
[defaults]
interval = "20ms"
window = "1s"
loss-threshold = "3/100"
[[session]]
name = "cut"
target = "127.0.0.1:{cut}"
[[session]]
name = "lossy"
target = "127.0.0.1:{lossy}"
"""


class Manager:
    """Alertmanager as a person asks it."""

    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}/api/v2/"

    def tell(self, *labels):
        """Alerts that began now and go on."""
        now = datetime.datetime.now(datetime.timezone.utc)
        times = {"startsAt": now.isoformat(), "endsAt": (now + datetime.timedelta(hours=1)).isoformat()}
        octets = json.dumps([{"labels": one, "annotations": {}, **times} for one in labels]).encode()
        request = urllib.request.Request(self.base + "alerts", octets, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            expect(answer.status, 200, "what Alertmanager says to alerts")

    def alerts(self):
        try:
            with urllib.request.urlopen(self.base + "alerts", timeout=20) as answer:
                return json.load(answer)
        except OSError:
            return []

    def alert(self, name, session):
        """The one alert of this name for this session, if there is one."""
        wanted = (name, session)
        return next((it for it in self.alerts() if (it["labels"]["alertname"], it["labels"].get("session")) == wanted), None)


def need():
    for program in ("prometheus", "prometheus-alertmanager"):
        if not (DEBIAN / program).exists():
            raise Unavailable(f"{DEBIAN / program} is not installed")
    if not TEMPLATES.exists():
        raise Unavailable(f"{TEMPLATES} is missing: Alertmanager of Debian wants it there")


@case("prometheus", "Prometheus", "Alertmanager: a session that is down silences its loss, not that of others; resolved when healed")
def inhibited_and_resolved():
    need()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        came, receiver = stack.enter_context(webhook())

        def notified(name, session, status):
            alerts = [alert for message in list(came) for alert in message["alerts"]]
            wanted = {"alertname": name, "session": session}.items()
            return [alert for alert in alerts if wanted <= alert["labels"].items() and alert["status"] == status]

        answering = [REFLECTOR, "--workers", 1, "--listen"]
        far = stack.enter_context(Program([*answering, f"{LOOPBACK[4]}:0", "--web.listen-address", "127.0.0.1:0"]))
        relay = stack.enter_context(Relay(int(far.wait_for_line(r'msg="listening on \S+:(\d+)"').group(1))))
        cut = free_port()
        (folder / "sender.toml").write_text(SENDER_FILE.format(cut=cut, lossy=relay.port))
        sender = stack.enter_context(Program([SENDER, "run", "sender.toml"], folder=folder))
        with told(sender) as of_sender, told(far) as of_reflector:
            targets = [base.removeprefix("http://") for base in (of_sender, of_reflector)]
        port, routing = alertmanager(folder, receiver)
        stack.enter_context(routing)
        stack.enter_context(prometheus(folder, targets, port)[1])
        manager = Manager(port)

        def inhibited():
            alert = manager.alert(LOSS, "cut")
            return alert if alert and alert["status"]["inhibitedBy"] else None

        alert = until(inhibited, f"no alert of the session that is down is inhibited: {routing.output()}")
        expect(alert["status"]["state"], "suppressed", "state of the alert on loss")
        by = manager.alert(DOWN, "cut")
        expect(alert["status"]["inhibitedBy"], [by["fingerprint"]], "what inhibits it")
        # The same alert for another session begins later and waits as long: once it is told, the first would have been.
        relay.lose_forward = range(0, 1 << 32, 4)
        until(lambda: notified(LOSS, "lossy", "firing"), f"loss of the other session is not told: {routing.output()}")
        expect(manager.alert(LOSS, "lossy")["status"]["inhibitedBy"], [], "what inhibits the loss of the other session")
        until(lambda: notified(DOWN, "cut", "firing"), "nobody is told of the session that is down")
        expect(notified(LOSS, "cut", "firing"), [], "what people are told of the loss of a session that is down")
        expect(notified(DOWN, "cut", "resolved"), [], "what is resolved while the session is down")

        stack.enter_context(Program([*answering, f"{LOOPBACK[4]}:{cut}"]))
        over = until(lambda: notified(DOWN, "cut", "resolved"), f"nobody is told that it is over: {routing.output()}")[0]
        expect(over["fingerprint"], by["fingerprint"], "which alert is over")
        relay.lose_forward = ()
        until(lambda: notified(LOSS, "lossy", "resolved"), "nobody is told that nothing is lost any more")


@case("alertmanager", "Alertmanager", "inhibition of the shipped file: by an absent exporter and by a session that is down, no further")
def inhibition():
    need()
    absent = {"alertname": "StampExporterAbsent", "severity": "critical", "instance": "a"}
    down = {"alertname": DOWN, "severity": "critical", "instance": "b", "session": "cut"}
    # By whom each of these is silenced.
    others = [
        ({"alertname": "StampReflectorDrops", "instance": "a"}, absent),
        ({"alertname": "StampReloadFailed", "instance": "a"}, absent),
        ({"alertname": "StampReflectorDrops", "instance": "b"}, None),
        ({"alertname": "NodeDown", "instance": "a"}, None),
        ({"alertname": LOSS, "instance": "b", "session": "cut"}, down),
        ({"alertname": "StampPathOverDelayLimit", "instance": "b", "session": "cut"}, down),
        ({"alertname": "StampLossBurn", "session": "cut"}, down),
        ({"alertname": "StampThresholdFlapping", "instance": "b", "session": "cut"}, down),
        ({"alertname": "StampClockUnsynchronized", "instance": "b", "session": "cut"}, None),
        ({"alertname": LOSS, "instance": "b", "session": "lossy"}, None),
        (absent, None),
        (down, None),
    ]
    with tempfile.TemporaryDirectory() as name, webhook() as (_, receiver):
        port, program = alertmanager(Path(name), receiver)
        with program:
            program.wait_for_line(r"Listening on.*address=")
            manager = Manager(port)
            manager.tell(absent, down, *(labels for labels, _ in others[:-2]))

            def known():
                alerts = manager.alerts()
                return alerts if len(alerts) == len(others) else None

            alerts = until(known, "not every alert is known")
            fingerprints = {tuple(sorted(alert["labels"].items())): alert["fingerprint"] for alert in alerts}

            by = {
                tuple(sorted(labels.items())): [fingerprints[tuple(sorted(source.items()))]] if source else []
                for labels, source in others
            }

            def silenced():
                # Alertmanager learns of alerts that silence others a moment after it has them.
                seen = {tuple(sorted(it["labels"].items())): it["status"]["inhibitedBy"] for it in manager.alerts()}
                return seen if all(seen[labels] for labels, sources in by.items() if sources) else None

            expect(until(silenced, "not every alert is silenced that should be"), by, "which alert silences which")
