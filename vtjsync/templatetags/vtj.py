"""The state of the synchronisation, on every page: a stop, a pause (domain.md E41), and how fresh the register is."""

from __future__ import annotations

from typing import Any

from django import template

from registry.clock import today
from registry.policies import CHANGE_SCHEDULE, RUN_SYNC, SEE_SYNC, may
from registry.selectors.place import GRAVE_DAYS, NEAR_DAYS, permit_ends_in
from vtjsync import selectors, steering
from vtjsync.engine.run import REASONS

register = template.Library()


@register.inclusion_tag("vtjsync/notices.html", takes_context=True)
def vtj_notices(context: dict[str, Any]) -> dict[str, Any]:
    """What everybody has to know: that VTJ is not asked at the moment; and administrators: that the permit ends."""
    user = context["user"]
    state = selectors.state()
    return {
        "state": state,
        "reason": REASONS["DENIED"],
        "may_resume": may(user, RUN_SYNC),
        "look_ups": selectors.look_ups_stopped() if may(user, RUN_SYNC) else None,
        "alarms": steering.alarms() if may(user, SEE_SYNC) else None,
        "may_schedule": may(user, CHANGE_SCHEDULE),
        "permit_days": permit_ends_in(today()) if may(user, SEE_SYNC) else None,
        "near_days": NEAR_DAYS,
        "grave_days": GRAVE_DAYS,
        "certificates": selectors.certificates_that_end() if may(user, SEE_SYNC) else [],
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("vtjsync/freshness.html")
def vtj_freshness() -> dict[str, Any]:
    """As of when the whole register is up to date."""
    return {"as_of": selectors.up_to_date_as_of()}
