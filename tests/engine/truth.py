"""The register as it exports itself, beside what is true in VTJ."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

from vtjsync.simulator.server import Handle

# What the register alone knows.
OWN = ("asiakkuudet", "vtj_tila", "vtj_tarkistettu")


def exported(folder: Path) -> list[dict[str, Any]]:
    """Every line of the export, protected persons and former codes included."""
    file = folder / "register.jsonl"
    call_command("export_register", str(file), "--include-protected", "--include-former", stdout=StringIO())
    return [json.loads(line) for line in file.read_text().splitlines()]


def differences(vtj: Handle, folder: Path) -> list[str]:
    """What the export says otherwise than VTJ's truth: the state of the person and the members that differ, without
    their values. An unmerged pair counts as right when both stand as SELVITETTAVA (domain.md D30)."""
    lines = exported(folder)
    truth = {one["henkilotunnus"]: dict(one) for one in vtj.truth([line["henkilotunnus"] for line in lines])}
    pairs = {code for one in truth.values() for code in (one["henkilotunnus"], *one["edelliset_henkilotunnukset"])}
    found = []
    for line in lines:
        true = truth.get(line["henkilotunnus"])
        state = line["vtj_tila"]
        if state == "SELVITETTAVA" and line["henkilotunnus"] in pairs:
            continue
        differing = [name for name in line if name not in OWN and (true is None or line[name] != true[name])]
        if differing or state != "AJAN_TASALLA":
            found.append(f"{state}: {', '.join(differing)}")
    return found
