"""Copies of tenants' databases: sealed, kept, verified, restored."""

from engram_lab.serve.backups.records import Backup, DrillReport, Made, Restored, Verified
from engram_lab.serve.backups.tenant_backups import TenantBackups

__all__ = ["Backup", "DrillReport", "Made", "Restored", "TenantBackups", "Verified"]
