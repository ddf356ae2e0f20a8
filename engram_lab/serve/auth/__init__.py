"""Who asks: API keys, tokens, and whether they belong where they ask."""

from engram_lab.serve.auth.authenticator import Authenticator
from engram_lab.serve.auth.entry import check_entry
from engram_lab.serve.auth.exposure import check_auth, check_exposure, check_tenancy
from engram_lab.serve.auth.invites import accept_invite, new_invite
from engram_lab.serve.auth.keys import NewKey, new_key, rotate_key
from engram_lab.serve.auth.roles import (
    check_role_granted,
    check_scopes_granted,
    role_of_scopes,
    scopes_of_role,
)

__all__ = [
    "Authenticator",
    "NewKey",
    "accept_invite",
    "check_auth",
    "check_entry",
    "check_exposure",
    "check_role_granted",
    "check_scopes_granted",
    "check_tenancy",
    "new_invite",
    "new_key",
    "role_of_scopes",
    "rotate_key",
    "scopes_of_role",
]
