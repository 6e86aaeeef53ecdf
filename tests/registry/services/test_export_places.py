"""Who and which places are in the export: only what may be told, and today (domain.md A2, C24, D31, E38)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied

from registry.models import DataPermit, User
from registry.services import export
from registry.services.export import Options
from tests.cast import access
from tests.factories import ClientshipFactory, ForeignAddressFactory, PersonFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

HOME, ABROAD, MUNICIPALITY = "vakinainen_kotimainen_osoite", "vakinaiset_ulkomaiset_osoitteet", "kotikunta"


@pytest.fixture
def places() -> Any:
    """Which members of the one person's line tell a place."""
    person = PersonFactory.create(home=True)
    ForeignAddressFactory.create(person=person)
    ClientshipFactory.create(person=person)

    def told() -> set[str]:
        (line,) = export.lines(Options())
        return {name for name in (HOME, ABROAD, MUNICIPALITY) if line[name]}

    return told


@pytest.mark.parametrize(
    ("groups", "members"),
    [
        (["TURVAKIELTO", "VAKINAINEN_KOTIMAINEN_OSOITE"], {HOME}),
        (["TURVAKIELTO", "VAKINAINEN_ULKOMAINEN_OSOITE", "KOTIKUNTA"], {ABROAD, MUNICIPALITY}),
        (["VAKINAINEN_KOTIMAINEN_OSOITE", "VAKINAINEN_ULKOMAINEN_OSOITE", "KOTIKUNTA"], set()),
    ],
)
def test_c24_places_that_the_permit_of_today_does_not_grant(places: Any, groups: list[str], members: set[str]) -> None:
    assert places() == {HOME, ABROAD, MUNICIPALITY}
    DataPermit.objects.update(groups=groups)
    assert places() == members


def test_a2_no_place_without_a_permit(places: Any) -> None:
    DataPermit.objects.update(valid_to=date(2021, 1, 1))
    assert places() == set()


@pytest.mark.parametrize(
    ("options", "right"), [(Options(protected=True), "handle_protected"), (Options(former=True), "see_former")]
)
def test_e38_d31_a_right_to_export_is_no_right_to_more(
    aino: User, tmp_path: Path, options: Options, right: str
) -> None:
    who = access(aino)
    aino.user_permissions.add(Permission.objects.get(codename="export_register"))
    with pytest.raises(PermissionDenied):
        export.export(who, tmp_path / "all", options)
    assert list(tmp_path.iterdir()) == []
    aino.user_permissions.add(Permission.objects.get(codename=right))
    export.export(access(User.objects.get(pk=aino.pk)), tmp_path / "all", options)
    assert export.export(access(User.objects.get(pk=aino.pk)), tmp_path / "plain", Options()) == 0
