"""Manifests for Kubernetes, against its schemas and against each other."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from programs import INSTALLED, REFLECTOR, REPOSITORY, SENDER
from report import Mismatch, Unavailable, case, expect, expect_true

FOLDER = REPOSITORY / "packaging" / "kubernetes"
VERSION = "1.31"
KUBECTL = INSTALLED / "kubectl" / "usr" / "bin" / "kubectl"


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


@case("kubernetes", "Kubernetes schemas", "every manifest of its own kinds keeps its schema, strictly")
def schemas():
    try:
        import kubernetes_validate
    except ImportError:
        raise Unavailable("kubernetes-validate is not installed") from None
    checked = 0
    for document in documents():
        # Those of an operator and of kustomize are judged by these, below.
        if "." in document["apiVersion"].split("/")[0]:
            continue
        try:
            kubernetes_validate.validate(document, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            raise Mismatch(f"{document['kind']} {document['metadata']['name']}: {error}") from error
        checked += 1
    expect(checked, 5, "manifests checked")


@case("operator", "Kubernetes schemas", "kubernetes: the PodMonitor keeps the schema of its operator, strictly")
def pod_monitor():
    try:
        import pydantic
        from cloudcoil.models.prometheus_operator.v1 import PodMonitor
    except ImportError:
        raise Unavailable("cloudcoil-models-prometheus-operator is not installed") from None

    def complaint(document):
        how = {"strict": True, "extra": "forbid", "by_alias": True, "by_name": False}
        try:
            PodMonitor.model_validate_json(json.dumps(document), **how)
        except pydantic.ValidationError as error:
            return str(error)
        return None

    (monitor,) = of_kind("PodMonitor")
    expect(complaint(monitor), None, "what its schema has against it")
    # These models pass over what they do not know unless they are told not to.
    for key, wrong in (("scrapeTimeout", "scrape_timeout"), ("matchExpressions", "matchExpression"), ("name", "nmae")):
        misspelt = json.loads(json.dumps(monitor).replace(f'"{key}"', f'"{wrong}"'))
        expect_true(complaint(misspelt) is not None, f"a PodMonitor with {wrong} is taken")


@case("kubectl", "kustomize", "kubernetes: the kustomization is built, every manifest in its namespace")
def kustomization():
    if not KUBECTL.exists():
        raise Unavailable(f"{KUBECTL} is not installed")

    def built(folder):
        return subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False, timeout=60)

    import yaml

    (wanted,) = of_kind("Kustomization")
    ended = built(FOLDER)
    expect(ended.returncode, 0, f"kubectl kustomize: {ended.stderr}")

    def by_name(manifests):
        return {(it["kind"], it["metadata"]["name"]): it for it in manifests}

    others = by_name(document for document in documents() if document != wanted)
    for document in others.values():
        document["metadata"]["namespace"] = wanted["namespace"]
    made = by_name(yaml.safe_load_all(ended.stdout))
    expect(sorted(made), sorted(others), "what is built")
    for name, document in made.items():
        expect(document, others[name], f"{name} as it is built")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "kubernetes"
        shutil.copytree(FOLDER, folder)
        with (folder / "kustomization.yaml").open("a") as file:
            file.write("namspace: stamp\n")
        ended = built(folder)
    expect((ended.returncode != 0, "namspace" in ended.stderr), (True, True), f"refusal of an unknown key ({ended.stderr})")


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
