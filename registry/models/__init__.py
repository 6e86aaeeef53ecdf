"""The register's tables. The database keeps what must never break: constraints and triggers (docs/data-model.md)."""

from registry.models.audit import AuditEvent, SubjectCode
from registry.models.clientship import Clientship, EndReason, ErasureHold, ErasureReceipt, NameCheck
from registry.models.organisation import Authority, DataPermit, Provider, Service, Unit, User
from registry.models.person import AppliedChange, ForeignAddress, Person, PersonCode, PersonStatus
from registry.models.problem import TASKS, Problem, ProblemKind
from registry.models.protected import ContactAddress, Opening, OpeningReason

__all__ = [
    "TASKS",
    "AppliedChange",
    "AuditEvent",
    "Authority",
    "Clientship",
    "ContactAddress",
    "DataPermit",
    "EndReason",
    "ErasureHold",
    "ErasureReceipt",
    "ForeignAddress",
    "NameCheck",
    "Opening",
    "OpeningReason",
    "Person",
    "PersonCode",
    "PersonStatus",
    "Problem",
    "ProblemKind",
    "Provider",
    "Service",
    "SubjectCode",
    "Unit",
    "User",
]
