"""A task belongs to the request that queued it: its lines in the log, and its questions to VTJ, have that one's id."""

from __future__ import annotations

from typing import Any, Final

from django.dispatch import receiver
from django_q.signals import post_execute_in_worker, pre_enqueue, pre_execute

from vtjsync import logs, tallies

KEY: Final = "request_id"


@receiver(pre_enqueue, dispatch_uid="request id with the task")
def queued(task: dict[str, Any], **_kwargs: Any) -> None:
    """Beside the task's arguments, not among them. One that the schedule queues has none yet."""
    if logs.request_id():
        task[KEY] = logs.request_id()


@receiver(pre_execute, dispatch_uid="request id of the task")
def begun(task: dict[str, Any], **_kwargs: Any) -> None:
    """The worker goes on under the task's id, or a new one."""
    logs.begin_request(task.get(KEY, ""))


@receiver(post_execute_in_worker, dispatch_uid="removals of the task")
def ended(**_kwargs: Any) -> None:
    """What the worker had to remove from its log is told to the others."""
    tallies.tell_removals()
