"""The register's tables. The database keeps what must never break: constraints and triggers (docs/data-model.md)."""

from registry.models.audit import AuditEvent, AuditHold, AuditSeal, SubjectCode
from registry.models.clientship import Clientship, EndReason, ErasureHold, ErasureReceipt, NameCheck
from registry.models.emergency import EmergencyAccess
from registry.models.extract import ExtractLine, Ground, LogExtract, Requester
from registry.models.imported import ImportBadLine, ImportFile, ImportJob
from registry.models.organisation import Authority, DataPermit, Provider, Service, Unit, User
from registry.models.person import AppliedChange, ForeignAddress, Person, PersonCode, PersonStatus
from registry.models.problem import TASKS, Problem, ProblemKind
from registry.models.protected import ContactAddress, Opening, OpeningReason
from registry.models.session import Session
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
    "EmergencyAccess",
    "EndReason",
    "ErasureHold",
    "ErasureReceipt",
    "ExtractLine",
    "ForeignAddress",
    "Ground",
    "ImportBadLine",
    "ImportFile",
    "ImportJob",
    "LockReason",
    "LogExtract",
    "NameCheck",
    "Opening",
    "OpeningReason",
    "Person",
    "PersonCode",
    "PersonStatus",
    "Problem",
    "ProblemKind",
    "Provider",
    "Requester",
    "Service",
    "Session",
    "Standing",
    "SubjectCode",
    "Unit",
    "User",
]
