"""Formulas over columns: parsed with ``ast`` into a closed language, nothing of it run as Python."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import and_, or_
from typing import Any

import numpy as np
import pandas as pd

from econometrics.declarations.functions import FUNCTIONS, Value, as_number, as_text, as_truth, number_of_rows
from econometrics.declarations.functions import Call as FunctionCall
from econometrics.declarations.yaml_lines import nearest
from shuzhi import SpecError

LONGEST_FORMULA = 4000
DEEPEST_FORMULA = 60
LANGUAGE = "numbers, text in quotes, columns, + - * / **, comparisons, in, and, or, not, and functions"


@dataclass(frozen=True)
class Formula:
    """A formula that was read and found to be of the language.

    Parameters
    ----------
    text : str
        As it was written.
    tree : ast.expr
        Its syntax.
    columns : tuple of str
        The columns it names, each once, in order.
    """

    text: str
    tree: ast.expr = field(repr=False, compare=False)
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Evaluated:
    """The values of a formula.

    Parameters
    ----------
    values : Series, shape (rows,)
        float64 (missing is NaN), nullable boolean, or text.
    reasons : dict of str to int
        Why values are missing although the columns of the formula hold one, and how many: a division by zero, a
        logarithm of a number not above 0, a year that the firm has no row of.
    """

    values: pd.Series
    reasons: dict[str, int]


def parse_formula(text: str) -> Formula:
    """Read a formula such as ``log(revenue / lag(revenue, 1))``.

    Parameters
    ----------
    text : str
        Numbers, text in quotes, columns, ``+ - * / **``, comparisons (also chained), ``in (…)``, ``and or not``,
        and the functions of ``econometrics.declarations.functions.FUNCTIONS``.

    Raises
    ------
    SpecError
        If it is anything else, with every problem in it.
    """
    stripped = " ".join(str(text).split())
    if not stripped or len(stripped) > LONGEST_FORMULA:
        raise SpecError("the formula is empty" if not stripped else f"is longer than {LONGEST_FORMULA:,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(stripped, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        words = getattr(error, "msg", None) or str(error)
        raise SpecError(f"{stripped!r} is no formula: {words}") from None
    if _depth(tree) > DEEPEST_FORMULA:
        raise SpecError(f"is nested more than {DEEPEST_FORMULA} deep; define a step of it as a variable of its own")
    problems = list(dict.fromkeys(_problems(tree)))
    if problems:
        raise SpecError(f"{stripped!r}: {'; '.join(problems)}")
    return Formula(stripped, tree, tuple(dict.fromkeys(_columns(tree))))


def _depth(tree: ast.AST) -> int:
    deepest, level = 0, [tree]
    while level:
        deepest += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return deepest


def _columns(node: ast.AST) -> Iterator[str]:
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(node, ast.Name):
        yield node.id
    for child in ast.iter_child_nodes(node):
        if child is not called:
            yield from _columns(child)


# Beyond it a power would be computed digit by digit.
LARGEST_WHOLE_NUMBER = 2**53
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "__eq__",
    ast.NotEq: "__ne__",
    ast.Lt: "__lt__",
    ast.LtE: "__le__",
    ast.Gt: "__gt__",
    ast.GtE: "__ge__",
}


def _problems(node: ast.AST) -> Iterator[str]:
    """Say what is not of the language."""
    match node:
        case ast.Constant(value=value):
            yield from _problems_of_constant(value)
        case ast.Name():
            pass
        case ast.BinOp(left=left, op=operator, right=right):
            if type(operator) not in _BINARY:
                yield f"the operator {type(operator).__name__} is not of the language ({LANGUAGE})"
            yield from _problems(left)
            yield from _problems(right)
        case ast.UnaryOp(op=operator, operand=operand):
            if not isinstance(operator, ast.USub | ast.UAdd | ast.Not):
                yield f"the operator {type(operator).__name__} is not of the language ({LANGUAGE})"
            yield from _problems(operand)
        case ast.BoolOp(values=values):
            for each in values:
                yield from _problems(each)
        case ast.Compare():
            yield from _problems_of_comparison(node)
        case ast.Call():
            yield from _problems_of_call(node)
        case _:
            yield f"{type(node).__name__} is not of the language ({LANGUAGE})"


def _problems_of_constant(value: object) -> Iterator[str]:
    if not isinstance(value, int | float | str) or (isinstance(value, float) and not np.isfinite(value)):
        yield f"{value!r} is no number and no text"
    elif isinstance(value, int) and abs(value) > LARGEST_WHOLE_NUMBER:
        yield f"{value} is too large a whole number; write it with a point or an exponent"


def _problems_of_comparison(node: ast.Compare) -> Iterator[str]:
    yield from _problems(node.left)
    if len(node.ops) > 1 and any(isinstance(operator, ast.In | ast.NotIn) for operator in node.ops):
        yield "'in' stands in no chain of comparisons; join them with and"
    for operator, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(operator, ast.In | ast.NotIn):
            constants = isinstance(right, ast.Tuple | ast.List) and all(map(_is_constant, right.elts))
            if not constants:
                yield "after 'in' give a list of numbers or texts, for example in ('A', 'B')"
            continue
        if type(operator) not in _COMPARISONS:
            yield "compare with == != < <= > >= or in"
        yield from _problems(right)


def _problems_of_call(node: ast.Call) -> Iterator[str]:
    if not isinstance(node.func, ast.Name):
        yield "only functions by name can be called, no methods"
        return
    function = FUNCTIONS.get(node.func.id)
    if function is None:
        yield f"there is no function '{node.func.id}'.{nearest(node.func.id, FUNCTIONS)}"
    elif node.keywords or any(isinstance(each, ast.Starred) for each in node.args):
        yield f"{node.func.id} takes its arguments by position: {function.usage}"
    elif not function.fewest <= len(node.args) <= function.most:
        yield f"{node.func.id} has {len(node.args)} arguments; write {function.usage}"
    for position, argument in enumerate(node.args):
        if function and position in function.constants and not _is_constant(argument):
            yield f"argument {position + 1} of {node.func.id} is a constant; write {function.usage}"
        if function and function.groups_from is not None and position >= function.groups_from:
            if not isinstance(argument, ast.Name):
                yield f"argument {position + 1} of {node.func.id} is the name of a column; write {function.usage}"
            continue
        yield from _problems(argument)


def _is_constant(node: ast.AST) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float | str)


def _constant(node: ast.expr) -> Any:
    return ast.literal_eval(node)


def evaluate(formula: Formula, data: pd.DataFrame, firm: str, year: str) -> Evaluated:
    """Compute a formula, a row a value.

    Parameters
    ----------
    formula : Formula
        What `parse_formula` gave.
    data : DataFrame, one row a firm-year
        Has all the columns of the formula.
    firm, year : str
        Columns by which lags and leads are looked up.

    Returns
    -------
    Evaluated
        A missing input gives a missing value; comparisons with a missing value are missing too, and ``and``, ``or``
        and ``not`` follow Kleene's three-valued logic. A number that does not exist is missing, never infinite.

    Raises
    ------
    SpecError
        If a column is unknown, or text and numbers are mixed up.
    """
    unknown = [name for name in formula.columns if name not in data.columns]
    if unknown:
        raise SpecError("; ".join(f"there is no column '{name}'.{nearest(name, data.columns)}" for name in unknown))
    reasons: dict[str, int] = {}
    value = _Evaluation(formula.text, data, firm, year, reasons).of(formula.tree)
    if not isinstance(value, pd.Series):
        value = pd.Series([value] * len(data), index=data.index)
        if not pd.api.types.is_string_dtype(value.dtype):
            value = value.astype("boolean" if pd.api.types.is_bool_dtype(value.dtype) else "float64")
    return Evaluated(value, {reason: count for reason, count in reasons.items() if count})


@dataclass(frozen=True)
class _Evaluation:
    """One pass over the tree of a formula."""

    text: str
    data: pd.DataFrame
    firm: str
    year: str
    reasons: dict[str, int]

    def of(self, node: ast.expr) -> Value:  # noqa: PLR0911
        match node:
            case ast.Constant(value=value):
                return value if isinstance(value, str | bool) else float(value)  # type: ignore[arg-type]
            case ast.Name(id=name):
                return self._column(name)
            case ast.BinOp():
                return self._binary(node)
            case ast.UnaryOp(op=operator, operand=operand):
                return self._unary(operator, self.of(operand))
            case ast.BoolOp(op=operator, values=values):
                truths = [as_truth(self.of(each), self.text) for each in values]
                return reduce(and_ if isinstance(operator, ast.And) else or_, truths)
            case ast.Compare():
                return self._compare(node)
            case ast.Call():
                return self._call(node)
        raise SpecError(f"{self.text!r}: {type(node).__name__} is not of the language")

    def _unary(self, operator: ast.unaryop, value: Value) -> Value:
        if isinstance(operator, ast.Not):
            truth = as_truth(value, self.text)
            return ~truth if isinstance(truth, pd.Series) else not truth
        number = as_number(value, self.text)
        return -number if isinstance(operator, ast.USub) else number

    def _column(self, name: str) -> pd.Series:
        column = self.data[name]
        if pd.api.types.is_bool_dtype(column.dtype):
            return column.astype("boolean")
        if pd.api.types.is_numeric_dtype(column.dtype):
            return pd.Series(column.to_numpy(dtype="float64", na_value=np.nan), index=column.index)
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            raise SpecError(f"{self.text!r}: column {name} holds dates; read it with kind: year or kind: text")
        return column.astype("str")

    def _binary(self, node: ast.BinOp) -> Value:
        left, right = as_number(self.of(node.left), self.text), as_number(self.of(node.right), self.text)
        with np.errstate(all="ignore"):
            value = _BINARY[type(node.op)](left, right)
        has_inputs = _present(left) & _present(right)
        if isinstance(node.op, ast.Div):
            self._note("division by zero", has_inputs & (np.asarray(right) == 0))
            value = _where_finite(value)
            has_inputs = has_inputs & (np.asarray(right) != 0)
        self._note("no finite number", has_inputs & ~np.isfinite(np.asarray(value, dtype="float64")))
        return _where_finite(value)

    def _compare(self, node: ast.Compare) -> Value:
        left = self.of(node.left)
        truths: list[pd.Series] = []
        for operator, comparator in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.In | ast.NotIn):
                truth = self._contained(left, [_constant(each) for each in comparator.elts])  # type: ignore[attr-defined]
                truth = ~truth if isinstance(operator, ast.NotIn) else truth
                right: Any = None
            else:
                right = self.of(comparator)
                truth = self._compared(left, _COMPARISONS[type(operator)], right)
            truths.append(truth)
            left = right
        return reduce(and_, truths)

    def _compared(self, left: Value, operator: str, right: Value) -> pd.Series:
        if _is_text(left) != _is_text(right):
            raise SpecError(f"{self.text!r} compares text with a number; put the constant in quotation marks, or not")
        take = as_text if _is_text(left) else as_number
        first, second = (self._full(take(each, self.text)) for each in (left, right))
        truth: pd.Series = getattr(first, operator)(second).astype("boolean")
        return truth.mask(first.isna() | second.isna())

    def _contained(self, left: Value, options: list[Any]) -> pd.Series:
        column = self._full(left)
        is_text = _is_text(column)
        if any(isinstance(option, str) != is_text for option in options):
            raise SpecError(f"{self.text!r} looks for {options} in {'text' if is_text else 'numbers'}")
        values = column if is_text else self._full(as_number(column, self.text))
        return values.isin(options).astype("boolean").mask(values.isna())

    def _full(self, value: Value) -> pd.Series:
        if isinstance(value, pd.Series):
            return value
        return pd.Series([value] * len(self.data), index=self.data.index)

    def _call(self, node: ast.Call) -> Value:
        name = node.func.id  # type: ignore[attr-defined]
        function = FUNCTIONS[name]
        first_group = len(node.args) if function.groups_from is None else function.groups_from
        arguments = [
            _constant(each) if position in function.constants else self.of(each)
            for position, each in enumerate(node.args[:first_group])
        ]
        groups = [each.id for each in node.args[first_group:]]  # type: ignore[attr-defined]
        call = FunctionCall(self.text, self.data, self.firm, self.year, groups, self._note)
        return function.compute(call, *arguments)

    def _note(self, reason: str, rows: Any) -> None:
        count = number_of_rows(rows, len(self.data))
        if count:
            self.reasons[reason] = self.reasons.get(reason, 0) + count


def _is_text(value: Value) -> bool:
    if isinstance(value, pd.Series):
        return not (pd.api.types.is_numeric_dtype(value.dtype) or pd.api.types.is_bool_dtype(value.dtype))
    return isinstance(value, str)


def _present(value: Any) -> Any:
    return ~np.isnan(np.asarray(value, dtype="float64"))


def _where_finite(value: Any) -> pd.Series | float:
    if isinstance(value, pd.Series):
        return value.where(np.isfinite(value))
    return float(value) if np.isfinite(value) else float("nan")
