"""What a hit is evidence of: the filer's own action, or a name, another meaning, a negation, a CV, a policy, a plan.

Nothing here deletes a hit. Each hit gets one flag a question, with the rule that raised it, and an index says which
hits it keeps. The kinds and their order are those of the coding guide in ``docs/model-card.md``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Literal, get_args

from nlp.clean import CleanText
from nlp.context_rules import (
    FLAG_NAMES,
    LEFT_WINDOW,
    RIGHT_WINDOW,
    HitContext,
    RuleBook,
    Views,
    fired,
    rule_book,
)
from nlp.folding import simplified
from nlp.options import Preset, Script

HitKind = Literal[
    "furniture", "org_name", "false_sense", "negated", "person", "other_party", "context", "plan", "own_action"
]
# In the order of the coding guide: of several that fit, the first is what the hit is.
HIT_KINDS: tuple[HitKind, ...] = get_args(HitKind)
PRESETS: tuple[Preset, ...] = get_args(Preset)
FILER_NAME_RULE = "filer_name"
FURNITURE_RULE = "furniture:"
# A brand of so many characters within a name is the name: 神州 alone is not, 神州高铁 is.
SHORTEST_NAME = 3
_COMPANY_FORM = re.compile(r"(?:\(集团\)|集团)?(?:股份)?有限(?:责任)?公司$")
_SHARE_CLASS = re.compile(r"[\s*]|^(?:ST|\*ST|S)|[-－]?[ABH]股?$")
_COMMON_TAIL = re.compile(r"(?:股份|科技|集团|控股|药业)$")
_BRACKETS = str.maketrans("（）ＡＢ", "()AB")


@dataclass(frozen=True)
class FilerNames:
    """What the filer is called.

    Parameters
    ----------
    company_name, short_name : str or None
        As found by :mod:`nlp.identity`.
    """

    company_name: str | None = None
    short_name: str | None = None

    def variants(self) -> tuple[str, ...]:
        """Return the names by which a text may call the filer, longest first, with half-width brackets."""
        return _variants(self)

    def brands(self) -> tuple[str, ...]:
        """Return what sentences call the filer: its short name without class of share, its name without legal form."""
        return _brands(self)


@lru_cache(maxsize=1024)
def _variants(names: FilerNames) -> tuple[str, ...]:
    company = re.sub(r"\s", "", (names.company_name or "").translate(_BRACKETS))
    short = _SHARE_CLASS.sub("", (names.short_name or "").translate(_BRACKETS))
    found = {company, _COMPANY_FORM.sub("", company), short}
    return tuple(sorted((name for name in found if len(name) >= SHORTEST_NAME), key=lambda name: (-len(name), name)))


@lru_cache(maxsize=1024)
def _brands(names: FilerNames) -> tuple[str, ...]:
    company = _COMPANY_FORM.sub("", (names.company_name or "").translate(_BRACKETS))
    short = _SHARE_CLASS.sub("", (names.short_name or "").translate(_BRACKETS))
    return tuple(sorted(name for name in {company, short, _COMMON_TAIL.sub("", short)} if len(name) >= 2))


@dataclass(frozen=True)
class Flags:
    """The flags of one hit.

    Parameters
    ----------
    org_name, furniture, false_sense, negated, person, other_party, context, plan : bool
        One a question; several may be up.
    rules : str
        Why: ``flag:rule`` for each flag that is up, separated by blanks; rules are those of ``context_rules.yml``.
    """

    org_name: bool = False
    furniture: bool = False
    false_sense: bool = False
    negated: bool = False
    person: bool = False
    other_party: bool = False
    context: bool = False
    plan: bool = False
    rules: str = ""

    @property
    def any(self) -> bool:
        """Whether a flag is up."""
        return bool(self.rules)

    @property
    def is_filer_name(self) -> bool:
        """Whether the hit lies in the filer's own name."""
        return f"org_name:{FILER_NAME_RULE}" in self.rules.split()


def context_of(
    text: CleanText,
    span: tuple[int, int],
    *,
    term: str,
    section: str = "",
    subsection: str = "",
    furniture: str = "",
    sentence: tuple[int, int] | None = None,
    outlook: bool = False,
    script: Script = "as_printed",
) -> HitContext:
    """Cut the context of a hit out of a cleaned report.

    Parameters
    ----------
    text : CleanText
        The report.
    span : (int, int)
        Start and end of the hit in the cleaned text.
    term : str
        Term of the dictionary.
    section, subsection, furniture : str
        Place of the hit, as in the table ``hits``.
    sentence : (int, int), optional
        Start and end of its sentence as :meth:`nlp.clean.CleanText.sentence_of` gives them.
    outlook : bool
        Whether the hit stands in the part that looks ahead, see :func:`nlp.outlook.outlook_spans`.
    script : {'as_printed', 'simplified'}
        With ``simplified`` the words around the hit are read as simplified characters.
    """
    start, end = span
    first, last = sentence if sentence is not None else text.sentence_of(start, end)[1:]
    left = text.display[max(0, start - LEFT_WINDOW) : start]
    right = text.display[end : end + RIGHT_WINDOW]
    if script == "simplified":
        left, right = simplified(left), simplified(right)
    return HitContext(
        left=left,
        hit=text.display[start:end],
        right=right,
        term=term,
        section=section,
        subsection=subsection,
        furniture=furniture,
        sentence_left=min(len(left), max(0, start - first)),
        sentence_right=min(len(right), max(0, last - end)),
        outlook=outlook,
        position=start / max(1, len(text.display)),
    )


def flag_hit(context: HitContext, names: FilerNames, book: RuleBook | None = None) -> Flags:
    """Say what the words around a hit make of it.

    Parameters
    ----------
    context : HitContext
        The hit.
    names : FilerNames
        What the filer is called.
    book : RuleBook, optional
        Rules to use instead of those that ship.

    Returns
    -------
    Flags
        With the rule behind each flag that is up.
    """
    found = fired(Views(context, names.brands()), book or rule_book())
    raised = {str(name): rule for name, rule in found.items()}
    if in_filer_name(context, names):
        raised["org_name"] = FILER_NAME_RULE
    if context.furniture:
        raised["furniture"] = context.furniture
    if not raised:
        return _NO_FLAGS
    rules = " ".join(f"{name}:{raised[name]}" for name in FLAG_NAMES if name in raised)
    return Flags(**dict.fromkeys(raised, True), rules=rules)


_NO_FLAGS = Flags()


def in_filer_name(context: HitContext, names: FilerNames) -> bool:
    """Tell whether a hit lies in the filer's own full or short name."""
    hit = context.hit
    for name in names.variants():
        place = name.find(hit)
        while place >= 0:
            after = len(name) - place - len(hit)
            left = context.left[len(context.left) - place :] if place else ""
            if f"{left}{hit}{context.right[:after]}".translate(_BRACKETS) == name:
                return True
            place = name.find(hit, place + 1)
    return False


def rule_kind(flags: Flags) -> HitKind:
    """Return what the rules alone say of a hit: the first flag in the guide's order, else the filer's own action."""
    return next((kind for kind in HIT_KINDS[:-1] if getattr(flags, kind)), "own_action")


def kind_of_hit(flags: Flags, own_or_plan: float | None = None, done: float | None = None) -> HitKind:
    """Return the most likely of the nine kinds of a hit.

    What a name, a form or a form's answer decides is decided by the rules; between context, plan and done the
    classifier's probabilities decide where there are any.

    Parameters
    ----------
    flags : Flags
        From :func:`flag_hit`.
    own_or_plan, done : float, optional
        Probabilities that the hit is the filer's action, done or planned, and that it is done.
    """
    kind = rule_kind(flags)
    if own_or_plan is None or done is None or kind not in ("context", "plan", "own_action"):
        return kind
    if own_or_plan < 0.5:
        return "context"
    return "own_action" if done >= own_or_plan - done else "plan"


def keep(flags: Flags, probability: float | None, preset: Preset, threshold: float = 0.5) -> bool:
    """Tell whether an index of a preset counts a hit.

    ``raw`` counts every hit, as most users of word lists do.

    ``published`` drops what Wu and others (2021) say they drop: hits that are negated, and hits about another company:
    shareholders, customers, suppliers, executives' CVs, and the names of other organisations. The filer's own name,
    other meanings, policies, industry trends and plans stay in.

    ``strict`` keeps the filer's own action that is done: no flag of a name, furniture, another meaning, a negation, a
    CV or another party, and a probability of at least ``threshold``. Without a probability no flag at all may be up.

    Parameters
    ----------
    flags : Flags
        From :func:`flag_hit`.
    probability : float or None
        Probability that the hit is the filer's own done action, from :mod:`nlp.own_action`.
    preset : {'raw', 'published', 'strict'}
        What the index declares.
    threshold : float
        From the artefact, see :attr:`nlp.own_action.OwnActionModel.strict_threshold`.
    """
    if preset == "raw":
        return True
    about_another = flags.person or flags.other_party or (flags.org_name and not flags.is_filer_name)
    if preset == "published":
        return not (flags.negated or about_another)
    if about_another or flags.org_name or flags.furniture or flags.false_sense or flags.negated:
        return False
    return not flags.any if probability is None else probability >= threshold


FLAG_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(Flags) if field.name != "rules")
