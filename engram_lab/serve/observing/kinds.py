"""What the audit tells of: the kinds of its entries, and what each means."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AUDIT_LOST",
    "AUTH_DENIED",
    "AUTH_FAILURE",
    "AUTH_SUCCESS",
    "BACKUP_MAKE",
    "BACKUP_PRUNE",
    "BACKUP_REKEY",
    "BACKUP_RESTORE",
    "BACKUP_VERIFY",
    "CONFIG_LOAD",
    "DREAM_RUN",
    "DREAM_UNDO",
    "FEEDBACK_CREATE",
    "HOOK_RUN",
    "INVITE_ACCEPT",
    "INVITE_CREATE",
    "INVITE_REMOVE",
    "KEY_CREATE",
    "KEY_REVOKE",
    "KEY_ROTATE",
    "KINDS",
    "LINK_CLOSE",
    "LINK_CREATE",
    "MEMBER_PUT",
    "MEMBER_REMOVE",
    "MEMORY_CREATE",
    "MEMORY_CREATE_BATCH",
    "MEMORY_DELETE",
    "MEMORY_EXPIRE",
    "MEMORY_FEEDBACK",
    "MEMORY_RESTORE",
    "MEMORY_UPDATE",
    "SERVER_START",
    "SERVER_STOP",
    "TENANT_CREATE",
    "TENANT_DELETE",
    "TENANT_EXPORT",
    "TENANT_IMPORT",
    "TENANT_PURGE",
    "TENANT_UPDATE",
    "WORKSPACE_PUT",
    "WORKSPACE_REMOVE",
]

AUTH_SUCCESS: Final = "auth.success"
AUTH_FAILURE: Final = "auth.failure"
AUTH_DENIED: Final = "auth.denied"
MEMORY_CREATE: Final = "memory.create"
MEMORY_CREATE_BATCH: Final = "memory.create_batch"
MEMORY_UPDATE: Final = "memory.update"
MEMORY_DELETE: Final = "memory.delete"
MEMORY_RESTORE: Final = "memory.restore"
MEMORY_EXPIRE: Final = "memory.expire"
MEMORY_FEEDBACK: Final = "memory.feedback"
LINK_CREATE: Final = "link.create"
LINK_CLOSE: Final = "link.close"
FEEDBACK_CREATE: Final = "feedback.create"
HOOK_RUN: Final = "hook.run"
DREAM_RUN: Final = "dream.run"
DREAM_UNDO: Final = "dream.undo"
KEY_CREATE: Final = "key.create"
KEY_ROTATE: Final = "key.rotate"
KEY_REVOKE: Final = "key.revoke"
MEMBER_PUT: Final = "member.put"
MEMBER_REMOVE: Final = "member.remove"
INVITE_CREATE: Final = "invite.create"
INVITE_ACCEPT: Final = "invite.accept"
INVITE_REMOVE: Final = "invite.remove"
WORKSPACE_PUT: Final = "workspace.put"
WORKSPACE_REMOVE: Final = "workspace.remove"
TENANT_CREATE: Final = "tenant.create"
TENANT_UPDATE: Final = "tenant.update"
TENANT_DELETE: Final = "tenant.delete"
TENANT_PURGE: Final = "tenant.purge"
TENANT_EXPORT: Final = "tenant.export"
TENANT_IMPORT: Final = "tenant.import"
BACKUP_MAKE: Final = "backup.make"
BACKUP_PRUNE: Final = "backup.prune"
BACKUP_REKEY: Final = "backup.rekey"
BACKUP_VERIFY: Final = "backup.verify"
BACKUP_RESTORE: Final = "backup.restore"
CONFIG_LOAD: Final = "config.load"
SERVER_START: Final = "server.start"
SERVER_STOP: Final = "server.stop"
AUDIT_LOST: Final = "audit.lost"

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        AUTH_SUCCESS: "a credential was believed; `count` tells how often within the window",
        AUTH_FAILURE: "a credential was not believed, or none came; `count` stands for many",
        AUTH_DENIED: "somebody known asked for what they may not; `count` stands for many",
        MEMORY_CREATE: "a memory was written",
        MEMORY_CREATE_BATCH: "many memories were written in one request",
        MEMORY_UPDATE: "a memory was changed",
        MEMORY_DELETE: "a memory was removed",
        MEMORY_RESTORE: "a memory that was removed or changed was put back",
        MEMORY_EXPIRE: "memories went that had expired, or were beyond a workspace's policy",
        MEMORY_FEEDBACK: "somebody said what a memory was worth",
        LINK_CREATE: "two memories were linked",
        LINK_CLOSE: "a link was ended",
        FEEDBACK_CREATE: "somebody said what an answer was worth",
        HOOK_RUN: "what an agent did was taken down by a hook",
        DREAM_RUN: "a dream changed memories",
        DREAM_UNDO: "what a dream changed was put back",
        KEY_CREATE: "a key was made",
        KEY_ROTATE: "a key was replaced by a new one",
        KEY_REVOKE: "a key was revoked",
        MEMBER_PUT: "a person was let in, or their role changed",
        MEMBER_REMOVE: "a person was taken out",
        INVITE_CREATE: "a person was invited",
        INVITE_ACCEPT: "an invitation was accepted",
        INVITE_REMOVE: "an invitation was taken back",
        WORKSPACE_PUT: "a workspace was made",
        WORKSPACE_REMOVE: "an empty workspace was removed",
        TENANT_CREATE: "a tenant was provisioned",
        TENANT_UPDATE: "a tenant's name, state, plan or bundle was changed, as the details say",
        TENANT_DELETE: "a tenant was marked as deleted",
        TENANT_PURGE: "all that a deleted tenant had was removed",
        TENANT_EXPORT: "all that a tenant has was taken out",
        TENANT_IMPORT: "memories were brought in",
        BACKUP_MAKE: "a copy of a tenant's database was made",
        BACKUP_PRUNE: "the oldest copies were removed, as many as `removed` says",
        BACKUP_REKEY: "copies are sealed with a new key from now on",
        BACKUP_VERIFY: "a copy was read back and checked",
        BACKUP_RESTORE: "a tenant's database was put back from a copy",
        CONFIG_LOAD: "the server took on a configuration or a bundle; its hash is the target",
        SERVER_START: "the server began to answer",
        SERVER_STOP: "the server stopped in good order",
        AUDIT_LOST: "so many entries had no room on the disk, or could not be read again",
    }
)
"""What each kind means."""
