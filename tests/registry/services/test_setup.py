from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from registry.models import AuditEvent, Authority, DataPermit, Provider, Service, Unit
from registry.services import setup
from registry.services.errors import Refused, Unreadable
from tests.cast import clerk

pytestmark = pytest.mark.django_db

FILE: dict[str, Any] = {
    "luvansaaja": {"ytunnus": "0101263-6", "nimi": {"fi": "Mallila", "sv": "Mallby", "en": "Modelton"}},
    "luvat": [
        {
            "numero": "DVV/1234/2026",
            "kayttotarkoitus": "Asiakasrekisteri",
            "lakiperuste": "Laki",
            "alkaa": "2026-01-01",
            "paattyy": None,
            "tietoryhmat": ["HENKILON_NIMI", "TURVAKIELTO", "KOTIKUNTA"],
        }
    ],
    "yksikot": [{"koodi": "KOTI", "nimi": {"fi": "Kotihoito", "sv": "Hemvård", "en": "Home care"}}],
    "tuottajat": [{"ytunnus": "01012636", "nimi": "Hoiva Oy"}],
    "palvelut": [
        {
            "koodi": "KOTIHOITO",
            "nimi": {"fi": "Kotihoito"},
            "laji": "PALVELUSETELI",
            "yksikko": "KOTI",
            "tuottajat": ["0101263-6"],
        }
    ],
}
Edit = Callable[[dict[str, Any]], object]


def load(content: object = FILE) -> dict[str, tuple[int, int, int]]:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return {kind: (one.added, one.changed, one.same) for kind, one in setup.load(clerk, data).items()}


def edited(edit: Edit) -> dict[str, Any]:
    content = copy.deepcopy(FILE)
    edit(content)
    return content


def rows() -> list[object]:
    kinds = (Authority, DataPermit, Unit, Provider, Service)
    links = Service.providers.through.objects.values_list("service__code", "provider__business_id")
    return [list(kind.objects.order_by("pk").values()) for kind in kinds] + [sorted(links)]


def test_everything_is_set_up_once() -> None:
    assert set(load().values()) == {(1, 0, 0)}
    before = rows()
    assert set(load().values()) == {(0, 0, 1)}
    assert rows() == before
    assert Provider.objects.get().business_id == "0101263-6"
    assert DataPermit.objects.get().groups == ["HENKILON_NIMI", "TURVAKIELTO", "KOTIKUNTA"]
    service = Service.objects.get()
    assert (service.unit.code, service.providers.get().name, service.name_sv) == ("KOTI", "Hoiva Oy", "")
    assert AuditEvent.objects.filter(action="LOAD_SETUP").count() == 1


def test_what_differs_is_changed_and_nothing_is_removed() -> None:
    load()
    changed = edited(
        lambda f: (f["yksikot"][0]["nimi"].update(sv="Hemtjänst"), f.pop("tuottajat"), f.pop("luvansaaja"))
    )
    changed["palvelut"][0]["tuottajat"] = []
    assert load(changed) == {
        "luvansaaja": (0, 0, 1),
        "luvat": (0, 0, 1),
        "yksikot": (0, 1, 0),
        "tuottajat": (0, 0, 0),
        "palvelut": (0, 0, 1),
    }
    assert Unit.objects.get().name_sv == "Hemtjänst"
    assert Service.objects.get().providers.count() == 1


def test_a_service_may_refer_to_what_is_there_already() -> None:
    load()
    only = {"palvelut": [{"koodi": "UUSI", "nimi": {"fi": "Uusi"}, "laji": "OSTOPALVELU", "yksikko": "KOTI"}]}
    assert load(only)["palvelut"] == (1, 0, 0)


def test_the_permit_holder_is_the_member_of_our_subsystem_unless_told(settings: Settings) -> None:
    load(edited(lambda f: f.pop("luvansaaja")))
    assert Authority.objects.get().business_id == "0101263-6"
    settings.VTJ_CLIENT = ""
    Authority.objects.all().delete()
    with pytest.raises(Refused, match="VTJ_CLIENT"):
        load({})


def test_two_permits_move_their_border_together() -> None:
    content = edited(lambda f: f["luvat"].append(f["luvat"][0] | {"numero": "DVV/2", "alkaa": "2026-07-01"}))
    content["luvat"][0]["paattyy"] = "2026-06-30"
    load(content)
    content["luvat"][0]["paattyy"], content["luvat"][1]["alkaa"] = "2026-08-31", "2026-09-01"
    assert load(content)["luvat"] == (0, 2, 0)
    assert DataPermit.objects.get(number="DVV/2").valid_from == date(2026, 9, 1)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda f: f["luvansaaja"].update(ytunnus="0101263-7"), "luvansaaja: 0101263-7 is not a valid Y-tunnus"),
        (lambda f: f["tuottajat"][0].update(ytunnus="x"), "tuottajat, entry 1: x is not"),
        (lambda f: f["palvelut"][0].update(tuottajat=["2"]), "palvelut, entry 1: 2 is not"),
        (lambda f: f["palvelut"][0].update(tuottajat=["2331972-7"]), "refers to the provider 2331972-7"),
        (lambda f: f["palvelut"][0].update(yksikko="TOINEN"), "refers to the unit TOINEN"),
        (lambda f: f["yksikot"].append(f["yksikot"][0]), "yksikot: koodi KOTI is there more than once"),
        (lambda f: f["luvat"].append(f["luvat"][0] | {"numero": "DVV/2"}), "overlap"),
        (lambda f: f["luvat"][0].update(paattyy="2025-01-01"), "ends before it begins"),
    ],
)
def test_what_contradicts_itself_changes_nothing(edit: Edit, words: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        load(edited(edit))
    assert not isinstance(refused.value, Unreadable)
    assert not Unit.objects.exists()


def test_a_permit_must_not_overlap_one_of_the_register() -> None:
    load()
    other = edited(lambda f: f["luvat"][0].update(numero="DVV/2", alkaa="2027-01-01"))
    with pytest.raises(Refused, match="DVV/1234/2026 and DVV/2 overlap"):
        load(other)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda f: f.update(muuta=1), "unknown field `muuta`"),
        (lambda f: f["palvelut"][0].update(lajii="x"), r"unknown field `lajii` - at `\$.palvelut\[0\]`"),
        (lambda f: f["palvelut"][0].pop("laji"), r"missing required field `laji` - at `\$.palvelut\[0\]`"),
        (lambda f: f["palvelut"][0].update(laji="MUU"), "laji"),
        (lambda f: f["palvelut"][0].update(koodi="KOTI HOITO"), "koodi"),
        (lambda f: f["palvelut"][0].update(koodi="KOTI\n"), "koodi"),
        (lambda f: f["yksikot"][0].update(nimi={"sv": "Hemvård"}), "missing required field `fi`"),
        (lambda f: f["yksikot"][0]["nimi"].update(fi="  "), "nimi.fi"),
        (lambda f: f["yksikot"][0]["nimi"].update(fi="\x00"), "nimi.fi"),
        (lambda f: f["yksikot"][0].update(nimi="Kotihoito"), "nimi"),
        (lambda f: f["luvat"][0].update(alkaa="1.1.2026"), "alkaa"),
        (lambda f: f["luvat"][0].update(alkaa="2026-02-30"), "alkaa"),
        (lambda f: f["luvat"][0].update(tietoryhmat=["KOTIKUNTO"]), "KOTIKUNTO"),
        (lambda f: f["luvat"][0].update(tietoryhmat=[]), "tietoryhmat"),
    ],
)
def test_what_is_not_in_the_format_is_told_with_its_place(edit: Edit, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        load(edited(edit))
    assert not Unit.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"luvat": [}',
        b"\xff\xfe{\x00}\x00",
        b'{"yksikot": [{"koodi": "\xe4", "nimi": {"fi": "x"}}]}',
        b"\x1f\x8b\x08\x00",
        b"[" * 100_000,
    ],
)
def test_what_is_no_json_at_all(content: bytes) -> None:
    with pytest.raises(Unreadable):
        load(content)


def test_a_byte_order_mark_is_forgiven() -> None:
    load(b"\xef\xbb\xbf" + json.dumps(FILE).encode())
    assert Unit.objects.exists()


def test_the_commands_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "setup.json"
    path.write_text(json.dumps(FILE), encoding="utf-8")
    call_command("load_setup", path)
    assert "palvelut: 1 added, 0 changed, 0 the same" in capsys.readouterr().out
    for content, code in ((b"{", 2), (json.dumps(edited(lambda f: f["palvelut"][0].update(yksikko="X"))).encode(), 1)):
        path.write_bytes(content)
        with pytest.raises(CommandError) as error:
            call_command("load_setup", path)
        assert error.value.returncode == code
    for missing in (tmp_path / "nothing.json", tmp_path):
        with pytest.raises(CommandError) as error:
            call_command("load_setup", missing)
        assert error.value.returncode == 2
    with path.open("wb") as file:
        file.truncate(2_000_000_000)
    with pytest.raises(CommandError, match="larger than") as error:
        call_command("load_setup", path)
    assert error.value.returncode == 2
