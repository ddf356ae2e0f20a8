"""What a text is searched for."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Final, Literal, get_args

from engram_lab.core.checks import check_flag
from engram_lab.core.errors import InvalidInputError, shown

__all__ = ["SEARCHED_FIELDS", "SearchedField", "Term"]

SearchedField = Literal["content", "tags"]
SEARCHED_FIELDS: Final[tuple[SearchedField, ...]] = get_args(SearchedField)


@dataclass(frozen=True, slots=True)
class Term:
    """Words to be found next to each other, in their order. Nothing in them is syntax.

    Attributes:
        text: One word or several.
        prefix: Whether the last word may go on.
        field: Where they must stand; anywhere where it is None.

    Raises:
        InvalidInputError: A text, prefix or field that is none.
    """

    text: str
    _: KW_ONLY
    prefix: bool = False
    field: SearchedField | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise InvalidInputError(f"text of a term is {shown(self.text)}: give a text")
        check_flag(self.prefix, field="prefix")
        if self.field is not None and self.field not in SEARCHED_FIELDS:
            raise InvalidInputError(
                f"field of a term is {shown(self.field)}: allowed are "
                f"{', '.join(SEARCHED_FIELDS)}, and None for both"
            )
