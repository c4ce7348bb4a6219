"""What a source might have said instead: small changes of its syntax tree, one at a time."""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import CodeType
from typing import Final, NamedTuple

_COMPARED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_COMPUTED: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.Div: ast.Mult,
}
_CALLED: Final = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}
_NOT_JUDGED: Final = frozenset({"annotation", "returns", "decorator_list", "bases"})


class Mutant(NamedTuple):
    """One change: where, what stood there, and what stands there now; `code` makes the module with it."""

    where: str  # the function or class
    before: str
    after: str
    nth: int  # of equal ones in the same place, from 1
    code: Callable[[], CodeType]

    @property
    def name(self) -> str:
        again = f" ({self.nth})" if self.nth > 1 else ""
        return f"`{self.where}`: `{self.before}` → `{self.after}`{again}"


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    times: Counter[tuple[str, str, str]] = Counter()
    for where, parent, node in list(_nodes(tree, "")):
        within = parent if isinstance(node, ast.Constant | ast.comprehension) else node
        before = _shown(within)
        for other in _alternatives(node):
            ast.copy_location(other, node)
            with _swapped(within, node, other):
                what = where or "module", before, _shown(other if within is node else within)
            times[what] += 1
            yield Mutant(*what, times[what], partial(_compiled, tree, node, other))


def _compiled(tree: ast.Module, node: ast.AST, other: ast.AST) -> CodeType:
    with _swapped(tree, node, other):
        return compile(ast.fix_missing_locations(tree), "mutant", "exec")


@contextmanager
def _swapped(tree: ast.AST, node: ast.AST, other: ast.AST) -> Iterator[None]:
    if tree is not node:
        _Swap(node, other).visit(tree)
    yield
    if tree is not node:
        _Swap(other, node).visit(tree)


class _Swap(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else self.generic_visit(node)


def _shown(node: ast.AST) -> str:
    node = node.test if isinstance(node, ast.If) else node
    return " ".join(ast.unparse(node).split()).replace("|", "¦")


def _nodes(node: ast.AST, where: str) -> Iterator[tuple[str, ast.AST, ast.AST]]:
    """All nodes that say what is done, each with the name of its function and the node that it is part of."""
    for name, field in ast.iter_fields(node):
        if name in _NOT_JUDGED or isinstance(node, ast.JoinedStr):
            continue
        if name == "keywords" and isinstance(node, ast.ClassDef):
            continue
        for child in field if isinstance(field, list) else [field]:
            if not isinstance(child, ast.AST) or _is_docstring(child):
                continue
            inside = where
            if isinstance(child, ast.ClassDef | ast.FunctionDef):
                inside = f"{where}.{child.name}".strip(".")
            yield inside, node, child
            yield from _nodes(child, inside)


def _is_docstring(node: ast.AST) -> bool:
    said = node.value if isinstance(node, ast.Expr) else None
    return isinstance(said, ast.Constant) and isinstance(said.value, str)


def _alternatives(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901, PLR0912 - as long as the language
    match node:
        case ast.Compare(left, ops, others):
            for place, op in enumerate(ops):
                changed = [*ops[:place], _COMPARED[type(op)](), *ops[place + 1 :]]
                yield ast.Compare(left, changed, others)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for place in range(len(values)):
                rest = [*values[:place], *values[place + 1 :]]
                yield ast.BoolOp(op, rest) if len(rest) > 1 else rest[0]
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.If(test, body, orelse) if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.BinOp(left, op, right) if type(op) in _COMPUTED:
            yield ast.BinOp(left, _COMPUTED[type(op)](), right)
        case ast.Constant(value):
            yield from (ast.Constant(other) for other in _other_values(value))
        case ast.Call(ast.Name(name), arguments, keywords) if name in _CALLED:
            yield ast.Call(ast.Name(_CALLED[name], ast.Load()), arguments, keywords)
        case ast.comprehension(target, iterated, conditions) if conditions:
            yield ast.comprehension(target, iterated, [], 0)
        case ast.Return(value) if value is not None and not _is_none(value):
            yield ast.Return(ast.Constant(None))
        case ast.AugAssign(target, op, value):
            if type(op) in _COMPUTED:
                yield ast.AugAssign(target, _COMPUTED[type(op)](), value)
            yield ast.Pass()
        case ast.Assign(targets) if not all(isinstance(target, ast.Name) for target in targets):
            if not any(isinstance(target, ast.Tuple) for target in targets):
                yield ast.Pass()
        case ast.Expr(ast.Call()) | ast.Delete():
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Pass()


def _other_values(value: object) -> list[bool | int | str]:
    match value:
        case bool():
            return [not value]
        case int():
            return [value + 1]
        case str():
            return ["" if value else "another"]
    return []


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
