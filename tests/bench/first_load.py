"""The first load: everybody's basic data, over HTTP from the simulated VTJ."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.conf import settings
from django.utils import timezone

from registry.hetu import Hetu
from tests.bench import bare, register
from tests.bench.harness import empty_register, row, seconds
from tests.simulator.calls import Caller
from vtjsync.engine.sync import sync
from vtjsync.models import SyncRun


def measure(size: int) -> None:
    """One row."""
    services = register.set_up()
    with register.simulated(size) as vtj, Caller(vtj) as caller:
        codes = register.clients(size, services)
        now = timezone.now().isoformat()
        alone = seconds(lambda: ask(caller, codes, lambda _body: None))
        other = seconds(lambda: ask(caller, codes, lambda body: store(body, now)))
        empty_register()
        register.clients(size, services)
        taken = seconds(lambda: sync("bench"))
    done = SyncRun.objects.get()
    assert (done.state, done.received) == ("COMPLETE", size)
    beside = f"received, decoded, COPY and UPDATE; VTJ alone: {alone:.1f} s of both"
    row("first load by basic data", f"{size:,} persons", taken, beside, other)


def ask(caller: Caller, codes: Sequence[Hetu], use: Callable[[bytes], None]) -> None:
    """Asks for everybody in the batches of the sync."""
    batch = settings.VTJ_BASIC_DATA_BATCH
    for begin in range(0, len(codes), batch):
        use(caller.basic_data(list(codes[begin : begin + batch])).content)


def store(body: bytes, now: str) -> None:
    """One answer as it came."""
    bare.write((*bare.PERSON, *bare.HOME), bare.basic_data(bare.entries(body), now))
