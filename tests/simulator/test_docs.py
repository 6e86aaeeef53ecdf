from __future__ import annotations

import re
from pathlib import Path

from vtjsync.simulator.events import KINDS
from vtjsync.simulator.faults import FAULTS
from vtjsync.simulator.server import Handle

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return TEXT.split(f"## {title}\n")[1].split("\n## ")[0]


def test_every_event_is_documented_and_no_other() -> None:
    assert set(re.findall(r"`([a-z_]+)`", section("Events"))) - {"advance"} == {kind.name for kind in KINDS}


def test_every_fault_is_documented_and_no_other() -> None:
    named = {
        name
        for line in section("Faults").splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(.+?)`", line)
    }
    assert named == set(FAULTS)


def test_what_the_handle_offers_is_there() -> None:
    offered = section("In tests").split("returns a `Handle`:")[1].split(". The truth")[0]
    names = set(re.findall(r"`([a-z_]+)`", offered))
    assert len(names) > 8
    assert names <= set(dir(Handle)) | {"url"}
