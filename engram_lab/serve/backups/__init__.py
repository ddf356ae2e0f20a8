"""Copies of tenants' databases: sealed, kept, verified, restored."""

from __future__ import annotations

from engram_lab.serve.backups.key_file import BackupKey, KeyFile, KeyRing
from engram_lab.serve.backups.records import Backup, DrillReport, Label, Made, Restored, Verified
from engram_lab.serve.backups.storehouse import Storehouse, StorehouseError
from engram_lab.serve.backups.tenant_backups import TenantBackups
from engram_lab.serve.backups.watch import BackupStoppedError, Watch

__all__ = [
    "Backup",
    "BackupKey",
    "BackupStoppedError",
    "DrillReport",
    "KeyFile",
    "KeyRing",
    "Label",
    "Made",
    "Restored",
    "Storehouse",
    "StorehouseError",
    "TenantBackups",
    "Verified",
    "Watch",
]
