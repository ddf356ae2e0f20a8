from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.scopes import (
    PERMISSIONS,
    Permission,
    ancestors,
    check_scope,
    is_within,
    permits,
)

segments = st.sampled_from(["org:a", "org:ab", "project:a", "project:a.b", "agent:A@x", "user:0"])
paths = st.lists(segments, max_size=4).map(lambda parts: "/".join(["global", *parts]))


@pytest.mark.parametrize(
    "scope",
    [
        "global",
        "global/org:acme",
        "global/org:acme/project:apollo/agent:coder",
        "global/user:ada@example.org",
        "global/a-b_c1:X.y-z_0",
        "global/org:" + "a" * 501,
    ],
)
def test_a_well_formed_scope_is_returned(scope: str) -> None:
    assert scope == check_scope(scope)


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "globe",
        "Global",
        "org:acme",
        "/global",
        "global/",
        "global//org:a",
        "global/org",
        "global/org:",
        "global/:a",
        "global/Org:a",
        "global/org:a b",
        "global/org:a%",
        "global/org:*",
        "global/org:ä",
        "global/org:../up",
        "global/org:a\n",
        "global/org:a\x00",
        "global/org:\ud800",
        "global/org:a' OR '1'='1",
        "global/org:" + "a" * 502,
        None,
        7,
        pytest.param(10**5000, id="huge"),
        ["global"],
    ],
)
def test_a_malformed_scope_is_refused_with_an_example(scope: object) -> None:
    with pytest.raises(InvalidInputError, match=r"root is .*global/org:acme/project:apollo"):
        check_scope(scope, field="root")


def test_the_ancestors_go_from_global_down() -> None:
    scope = "global/org:a/project:b/agent:c"
    expected = ("global", "global/org:a", "global/org:a/project:b", scope)
    assert expected == ancestors(scope)


@pytest.mark.parametrize(
    ("scope", "root", "within"),
    [
        ("global/org:a", "global/org:a", True),
        ("global/org:a/project:b", "global/org:a", True),
        ("global/org:ab", "global/org:a", False),  # a defect of the systems before us
        ("global/org:a.b", "global/org:a", False),
        ("global/org:a-b", "global/org:a", False),
        ("global/org:a", "global/org:a/project:b", False),
        ("global/org:a", "global", True),
        ("global/x:y/org:a", "global/org:a", False),
    ],
)
def test_below_means_by_whole_segments(scope: str, root: str, *, within: bool) -> None:
    assert within is is_within(scope, root)


@given(paths, paths)
def test_within_and_ancestors_say_the_same(scope: str, root: str) -> None:
    assert is_within(scope, root) is (root in ancestors(scope))


@pytest.mark.parametrize("held", PERMISSIONS)
@pytest.mark.parametrize("needed", PERMISSIONS)
def test_admin_includes_write_and_write_includes_read(held: Permission, needed: Permission) -> None:
    covers = {"read": {"read"}, "write": {"read", "write"}, "admin": {"read", "write", "admin"}}
    assert (needed in covers[held]) is permits(held, needed)
