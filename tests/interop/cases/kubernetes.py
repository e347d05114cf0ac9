"""Manifests for Kubernetes, against its schemas and against each other."""

import re
import subprocess
import tempfile
from pathlib import Path

from programs import REFLECTOR, REPOSITORY, SENDER
from report import Mismatch, Unavailable, case, expect, expect_true

FOLDER = REPOSITORY / "packaging" / "kubernetes"
VERSION = "1.31"


def documents():
    try:
        import yaml
    except ImportError:
        raise Unavailable("kubernetes-validate is not installed") from None
    for file in sorted(FOLDER.glob("*.yaml")):
        yield from yaml.safe_load_all(file.read_text())


def of_kind(*kinds):
    found = {document["kind"]: document for document in documents()}
    return [found[kind] for kind in kinds]


@case("kubernetes", "Kubernetes schemas", "every manifest keeps its schema, strictly")
def schemas():
    try:
        import kubernetes_validate
    except ImportError:
        raise Unavailable("kubernetes-validate is not installed") from None
    checked = 0
    for document in documents():
        # Those of an operator and of kustomize have schemas of their own.
        if "." in document["apiVersion"].split("/")[0]:
            continue
        try:
            kubernetes_validate.validate(document, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            raise Mismatch(f"{document['kind']} {document['metadata']['name']}: {error}") from error
        checked += 1
    expect(checked, 5, "manifests checked")


@case("kubernetes", "Kubernetes schemas", "labels, ports, shards and rights go together; configurations are taken")
def structure():
    stateful, daemon, monitor = of_kind("StatefulSet", "DaemonSet", "PodMonitor")
    arguments = stateful["spec"]["template"]["spec"]["containers"][0]["args"]
    shards = re.search(r"--shard=\$\(ORDINAL\)/(\d+)", " ".join(arguments))
    expect(int(shards.group(1)), stateful["spec"]["replicas"], "shards")
    monitored = monitor["spec"]["selector"]["matchExpressions"][0]
    for workload in (stateful, daemon):
        spec = workload["spec"]
        pod = spec["template"]["spec"]
        labels = spec["template"]["metadata"]["labels"]
        expect(spec["selector"]["matchLabels"], labels, f"labels of {workload['kind']}")
        expect_true(labels[monitored["key"]] in monitored["values"], f"{workload['kind']} is not monitored")
        expect_true(pod["automountServiceAccountToken"] is False, f"{workload['kind']} gets a token of the cluster")
        for container in pod["containers"]:
            ports = {port["name"] for port in container["ports"]}
            for endpoint in monitor["spec"]["podMetricsEndpoints"]:
                expect_true(endpoint["port"] in ports, f"no port {endpoint['port']}")
            rights = container["securityContext"]
            expect(rights["capabilities"]["drop"], ["ALL"], "capabilities dropped")
            expect((rights["allowPrivilegeEscalation"], rights["readOnlyRootFilesystem"]), (False, True), "rights")
            # Where a user is root it is for the sake of one capability.
            may = rights["capabilities"].get("add", [])
            user = rights.get("runAsUser", pod["securityContext"].get("runAsUser"))
            expect((user, may), (0, ["NET_BIND_SERVICE"]) if may else (65532, []), "user and capabilities")
    for configuration in [one for one in documents() if one["kind"] == "ConfigMap"]:
        for name, text in configuration["data"].items():
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / name
                file.write_text(text)
                program = SENDER if name == "sender.toml" else REFLECTOR
                ended = subprocess.run(
                    [program, "config", "check", file], capture_output=True, text=True, check=False, timeout=60
                )
            expect(ended.returncode, 0, f"{name}: {ended.stderr}")
