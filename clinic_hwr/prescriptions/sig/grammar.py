"""Find the items of directions: the longest that the grammar knows at each place."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from lark import Lark, Token, v_args
from lark.exceptions import UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from clinic_hwr.prescriptions.sig import parts as p
from clinic_hwr.prescriptions.sig.dose_rules import DoseRules
from clinic_hwr.prescriptions.sig.limit_rules import LimitRules
from clinic_hwr.prescriptions.sig.rule_words import number_of
from clinic_hwr.prescriptions.sig.timing_rules import TimingRules
from clinic_hwr.prescriptions.sig.tokens import SigToken

# An item never ends in one of these: they join it to what follows.
_JOINERS = frozenset({"AND", "OR", "PER", "TO", "DASH", "AT", "ON", "PLUS"})


@v_args(inline=True)
class _Parts(DoseRules, TimingRules, LimitRules):
    """Turns a parse into a part; what cannot be held exactly becomes ``Unclear``."""

    def start(self, part: p.Part) -> p.Part:
        return part

    def one(self, number: Token) -> p.Span:
        return p.Span(number_of(number))

    def span(self, low: Token, _to: object, high: Token) -> p.Span:
        return p.Span(number_of(low), number_of(high))

    def amount(self, span: p.Span) -> p.Span:
        return span

    def to(self, _token: Token) -> None:
        return None


@lru_cache(maxsize=1)
def _parser() -> Lark:
    source = (resources.files("clinic_hwr.prescriptions.sig") / "sig.lark").read_text("utf-8")
    # The lexer is never used: tokens are fed one by one to find the longest item.
    return Lark(
        source, parser="lalr", lexer="basic", transformer=_Parts(), maybe_placeholders=False
    )


def longest_item(tokens: list[SigToken]) -> tuple[tuple[p.Part, ...], int]:
    """Return the parts of the longest item at the front of ``tokens`` and how many it takes.

    (), 0 when no item starts here.
    """
    cursor: InteractiveParser = _parser().parse_interactive()
    best: tuple[tuple[p.Part, ...], int] = ((), 0)
    for index, token in enumerate(tokens):
        try:
            cursor.feed_token(_token(token))
        except UnexpectedToken:
            break
        if token.kind in _JOINERS:
            continue
        probe = cursor.copy(deepcopy_values=False)  # type: ignore[no-untyped-call]
        try:
            result = probe.feed_eof()
        except UnexpectedToken:
            continue
        best = (result if isinstance(result, tuple) else (result,)), index + 1
    return best


def _token(token: SigToken) -> Token:
    # lark types a token's value as text; its own classes pass any value through unchanged.
    made = Token(token.kind, "")
    made.value = token.value
    return made
