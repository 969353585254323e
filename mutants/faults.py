"""The faults that can be put into a module: cosmic-ray's, of which there are many for one place."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from mutants import left_out


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something can be put wrong, and the ways in which it can: an operator of cosmic-ray,
    and which of its occurrences in the module."""

    module: str
    """Its path in the repository."""
    line: int
    ways: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One of them put in."""

    module: str
    line: int
    before: str
    """The lines that differ, as they are."""
    after: str
    """What takes their place."""
    text: str
    """The module with the fault."""

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: `{self.before}` -> `{self.after}`"


def places(root: Path, module: str) -> Iterator[Place]:
    """Everything in a module that can be put wrong, in the order of lines. All that an operator
    has for one place is one place, or comparisons would outweigh the rest."""
    tree = get_ast((root / module).read_text(encoding="utf-8"))
    nodes = list(ast_nodes(tree))
    found: dict[tuple[int, int, str], list[tuple[str, int]]] = {}
    for name in operator_names():
        kind = get_operator(name)
        if kind.arguments():
            continue
        operator = kind()
        positions = (start for node in nodes for start, _ in operator.mutation_positions(node))
        for occurrence, (line, column) in enumerate(positions):
            found.setdefault((line, column, name.partition("_")[0]), []).append((name, occurrence))
    for (line, _, _), ways in sorted(found.items()):
        yield Place(module=module, line=line, ways=tuple(ways))


def fault(root: Path, place: Place, dice: random.Random) -> Fault | None:
    """One of the faults of a place; None where each leaves the meaning as it is."""
    text = (root / place.module).read_text(encoding="utf-8")
    for name, occurrence in dice.sample(place.ways, len(place.ways)):
        changed = mutate_code(text, get_operator(name)(), occurrence)
        if changed is not None and _means_another(text, changed):
            return _described(place, text, changed)
    return None


def _described(place: Place, text: str, changed: str) -> Fault:
    lines = list(unified_diff(text.splitlines(), changed.splitlines(), n=0, lineterm=""))[3:]
    before, after = (
        " ".join(line[1:].strip() for line in lines if line[0] == sign) for sign in "-+"
    )
    return Fault(module=place.module, line=place.line, before=before, after=after, text=changed)


def _means_another(text: str, changed: str) -> bool:
    """Whether it is Python, and differs in more than annotations, which nobody evaluates."""
    try:
        return _bare(changed) != _bare(text)
    except SyntaxError:
        return False


class _Bare(ast.NodeTransformer):
    """Takes annotations away."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Name(id="object", ctx=ast.Load())
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)


def _bare(text: str) -> str:
    return ast.dump(_Bare().visit(ast.parse(text)))


def sampled(
    root: Path, modules: Sequence[str], number: int, dice: random.Random
) -> tuple[list[Fault], int]:
    """So many faults of some modules, all of them where 0 is asked for; and how many of the drawn
    places are left out with a reason."""
    reasons, passed = left_out.load(), 0
    every = [place for module in modules for place in places(root, module)]
    lines = {module: (root / module).read_text(encoding="utf-8").splitlines() for module in modules}
    drawn: list[Fault] = []
    for place in dice.sample(every, len(every)):
        if number and len(drawn) == number:
            break
        line = lines[place.module][place.line - 1].strip()
        if any(one.covers(place.module, line) for one in reasons):
            passed += 1
        elif (one := fault(root, place, dice)) is not None:
            drawn.append(one)
    return sorted(drawn, key=lambda one: (one.module, one.line)), passed
