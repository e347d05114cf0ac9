"""Runs the cases; `tests/interop/run` prepares everything for it."""

import importlib
import json
import os
import sys
from pathlib import Path

import report

MODULES = (
    "scapy_sender", "scapy_headers", "python_sender", "python_reflector", "stamp_suite", "twamp", "tshark", "encapsulations",
    "prometheus", "families", "strangers", "frr", "monitoring", "monitoring_chain", "inhibition", "remote_write",
    "shards", "select", "kubernetes", "landing", "bgp_ls", "landing_live", "landing_crowd", "landing_phone",
)


def main():
    for module in MODULES:
        importlib.import_module(f"cases.{module}")
    versions = json.loads(os.environ.get("STAMP_INTEROP_VERSIONS", "{}"))
    return report.run(versions, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
