"""The register as it exports itself, beside what is true in VTJ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

from registry import ports
from registry.models import AppliedChange, PersonCode
from vtjsync.simulator.server import Handle

# What the register alone knows.
OWN = ("asiakkuudet", "vtj_tila", "vtj_tarkistettu")


def exported(folder: Path) -> list[dict[str, Any]]:
    """Every line of the export, protected persons and former codes included."""
    file = folder / "register.jsonl"
    call_command("export_register", str(file), "--include-protected", "--include-former", stdout=StringIO())
    return [json.loads(line) for line in file.read_text().splitlines()]


def compared(vtj: Handle, folder: Path) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Every line of the export, and the members in which it differs from VTJ's truth. An unmerged pair counts as right
    when both stand as SELVITETTAVA (domain.md D30)."""
    lines = exported(folder)
    truth = {one["henkilotunnus"]: dict(one) for one in vtj.truth([line["henkilotunnus"] for line in lines])}
    pairs = {code for one in truth.values() for code in (one["henkilotunnus"], *one["edelliset_henkilotunnukset"])}
    for line in lines:
        if not (line["vtj_tila"] == "SELVITETTAVA" and line["henkilotunnus"] in pairs):
            true = truth.get(line["henkilotunnus"])
            yield line, [name for name in line if name not in OWN and (true is None or line[name] != true[name])]


def differences(vtj: Handle, folder: Path) -> list[str]:
    """What the export says otherwise than VTJ's truth: the state of the person and the members that differ, without
    their values."""
    return [
        f"{line['vtj_tila']}: {', '.join(differing)}"
        for line, differing in compared(vtj, folder)
        if differing or line["vtj_tila"] != "AJAN_TASALLA"
    ]


def wrongly_confirmed(vtj: Handle, folder: Path, since: datetime) -> list[str]:
    """What the export says otherwise than VTJ's truth of those whom it says to be up to date, and who were confirmed
    after ``since``, the database's time (domain.md B15).

    That two codes are one person comes under the one that survives alone (D27): whoever has the other cannot be known
    to be in doubt before that one's changes have come.
    """
    owner = dict(PersonCode.objects.filter(current=True).values_list("hetu", "person"))
    confirmed_at = ports.source().confirmed_at(list(owner.values()))
    confirmed = {code for code, person in owner.items() if confirmed_at.get(person, since) > since}
    survivors = {code: one["henkilotunnus"] for one in vtj.truth() for code in one["edelliset_henkilotunnukset"]}
    return [
        ", ".join(differing)
        for line, differing in compared(vtj, folder)
        if differing and line["vtj_tila"] == "AJAN_TASALLA"
        if {line["henkilotunnus"], survivors.get(line["henkilotunnus"], line["henkilotunnus"])} <= confirmed
    ]


def twice_applied() -> list[tuple[str, str]]:
    """The fields and sources of the changes that stand in the log more than once."""
    columns = ("person", "field", "old_value", "new_value", "changed_at", "source")
    times = Counter(AppliedChange.objects.values_list(*columns))
    return sorted((field, source) for (_, field, *_, source), count in times.items() if count > 1)
