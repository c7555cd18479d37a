"""The port to EHRs and its adapters; knows FHIR, nothing of Django."""

from . import adapters as adapters  # registers every adapter
from .errors import (
    AdapterError,
    Ambiguous,
    AuthFailed,
    Rejected,
    Retryable,
    Unamendable,
    Unsupported,
)
from .model import (
    Capabilities,
    Identifier,
    Outcome,
    Receipt,
    RemoteRef,
    RemoteStatus,
    ResourceSupport,
    Submission,
    SubmissionKey,
)
from .ports import EhrAdapter
from .registry import adapter_names, create_adapter, register

__all__ = [
    "AdapterError",
    "Ambiguous",
    "AuthFailed",
    "Capabilities",
    "EhrAdapter",
    "Identifier",
    "Outcome",
    "Receipt",
    "Rejected",
    "RemoteRef",
    "RemoteStatus",
    "ResourceSupport",
    "Retryable",
    "Submission",
    "SubmissionKey",
    "Unamendable",
    "Unsupported",
    "adapter_names",
    "create_adapter",
    "register",
]
