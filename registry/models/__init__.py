"""The register's tables. The database keeps what must never break: constraints and triggers (docs/data-model.md)."""

from registry.models.audit import AuditEvent, AuditHold, AuditSeal, SubjectCode
from registry.models.clientship import Clientship, EndReason, ErasureHold, ErasureReceipt, NameCheck
from registry.models.imported import ImportBadLine, ImportFile, ImportJob
from registry.models.organisation import Authority, DataPermit, Provider, Service, Unit, User
from registry.models.person import AppliedChange, ForeignAddress, Person, PersonCode, PersonStatus
from registry.models.problem import TASKS, Problem, ProblemKind
from registry.models.protected import ContactAddress, Opening, OpeningReason
from registry.models.standing import LockReason, Standing

__all__ = [
    "TASKS",
    "AppliedChange",
    "AuditEvent",
    "AuditHold",
    "AuditSeal",
    "Authority",
    "Clientship",
    "ContactAddress",
    "DataPermit",
    "EndReason",
    "ErasureHold",
    "ErasureReceipt",
    "ForeignAddress",
    "ImportBadLine",
    "ImportFile",
    "ImportJob",
    "LockReason",
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
    "Standing",
    "SubjectCode",
    "Unit",
    "User",
]
