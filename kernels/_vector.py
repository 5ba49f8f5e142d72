"""Vectors of numbers that stay in registers, for loops that the compiler does not make vectors of by itself.

A kernel that keeps a tile of sums in registers while it runs over samples needs a fifth of the time of one that reads
and writes them; the compiler finds no such tile. A chain of arithmetic over the 60 daylight steps of a day has no
remainder of single steps, and wide vectors (two of the processor's) leave it nothing to wait for.

Vectors are added, subtracted, multiplied, divided and compared by the usual operators, with each other or a number; a
product and a sum perhaps rounded once. `select`, `greatest`, `least` and `root` take numbers too, so that one function
serves both. Not compiled, all of this works on small arrays.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import lower_builtin, models, overload, register_model, type_callable

if TYPE_CHECKING:
    from collections.abc import Callable

LANES = 4
"""Numbers in a vector."""
WIDE = 8
"""Numbers in a wide vector."""


class _Vector(types.Type):
    """Type of a vector, and of what comparing two of them gives, in compiled code."""

    def __init__(self, lanes: int, kind: ir.Type, of: str) -> None:
        self.lanes, self.llvm = lanes, ir.VectorType(kind, lanes)
        super().__init__(name=f"vector of {lanes} {of}")


class _Numbers(_Vector):
    """Of float64."""


class _Truths(_Vector):
    """Of true and false."""


_NUMBERS = {lanes: _Numbers(lanes, ir.DoubleType(), "float64") for lanes in (LANES, WIDE)}
_TRUTHS = {lanes: _Truths(lanes, ir.IntType(1), "truths") for lanes in (LANES, WIDE)}


@register_model(_Numbers)
@register_model(_Truths)
class _Model(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, kind.llvm)


def load(values: np.ndarray, at: int) -> np.ndarray:
    """Read ``values[at : at + 4]`` of a contiguous array; the bounds are not checked."""
    return values[at : at + LANES].copy()


def load_wide(values: np.ndarray, at: int) -> np.ndarray:
    """Read ``values[at : at + 8]`` of a contiguous array; the bounds are not checked."""
    return values[at : at + WIDE].copy()


def store(values: np.ndarray, at: int, vector: np.ndarray) -> None:
    """Write a vector to a contiguous array from `at` on; the bounds are not checked."""
    values[at : at + len(vector)] = vector


def fill(number: float) -> np.ndarray:
    """Four times the same number."""
    return np.full(LANES, number)


def fill_wide(number: float) -> np.ndarray:
    """Eight times the same number."""
    return np.full(WIDE, number)


def root(vector: np.ndarray) -> np.ndarray:
    """Square roots."""
    return np.asarray(np.sqrt(vector))


def total(vector: np.ndarray) -> float:
    """Sum of the four, in pairs."""
    return float((vector[0] + vector[2]) + (vector[1] + vector[3]))


def select(truths: bool | np.ndarray, yes: float | np.ndarray, no: float | np.ndarray) -> np.ndarray:
    """Where true the one, else the other."""
    return np.where(truths, yes, no)


def greatest(vector: np.ndarray, other: float | np.ndarray) -> np.ndarray:
    """Greater of the two; NaN of the first stays."""
    return np.where(other > vector, other, vector)


def least(vector: np.ndarray, other: float | np.ndarray) -> np.ndarray:
    """Lesser of the two; NaN of the first stays."""
    return np.where(other < vector, other, vector)


def every(truths: np.ndarray) -> bool:
    """Whether all are true."""
    return bool(np.all(truths))


overload(root)(
    lambda vector: (lambda vector: np.sqrt(vector)) if isinstance(vector, types.Float) else None  # noqa: PLW0108
)  # fmt: skip
overload(select)(
    lambda truths, yes, no: (lambda truths, yes, no: yes if truths else no)  # noqa: ARG005
    if isinstance(truths, types.Boolean) else None
)  # fmt: skip
overload(greatest)(
    lambda vector, other: (lambda vector, other: max(vector, other))  # noqa: ARG005, PLW0108
    if isinstance(vector, types.Float) else None
)  # fmt: skip
overload(least)(
    lambda vector, other: (lambda vector, other: min(vector, other))  # noqa: ARG005, PLW0108
    if isinstance(vector, types.Float) else None
)  # fmt: skip


def _pointer(context: Any, builder: Any, kind: Any, array: Any, at: Any, vector: Any) -> Any:
    """Where a vector begins in an array of float64."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), ir.PointerType(vector))


def _readable(values: Any) -> bool:
    return bool(isinstance(values, types.Array) and (values.ndim, values.layout, values.dtype) == (1, "C", types.f8))


def _alike(*values: Any) -> Any:
    """Vector that vectors and numbers give together; None where no vector is among them or two differ."""
    kinds = {v for v in values if not isinstance(v, types.Float)}
    kind = kinds.pop() if len(kinds) == 1 else None
    return kind if isinstance(kind, _Numbers) else None


def _spread(builder: Any, value: Any, kind: Any) -> Any:
    """Give a vector from a vector or a number."""
    if isinstance(value.type, ir.VectorType):
        return value
    empty, first = ir.Constant(kind.llvm, ir.Undefined), ir.Constant(ir.IntType(32), 0)
    single = builder.insert_element(empty, value, first)
    order = ir.Constant(ir.VectorType(ir.IntType(32), kind.lanes), [0] * kind.lanes)
    return builder.shuffle_vector(single, empty, order)


@type_callable(store)
def _type_store(_context: Any) -> Callable[..., Any]:
    return lambda values, _at, vector: types.none if _readable(values) and isinstance(vector, _Numbers) else None


@type_callable(root)
def _type_root(_context: Any) -> Callable[..., Any]:
    return lambda vector: _alike(vector)  # noqa: PLW0108  (Numba reads the names of the arguments)


@type_callable(total)
def _type_total(_context: Any) -> Callable[..., Any]:
    return lambda vector: types.f8 if vector is _NUMBERS[LANES] else None


@type_callable(select)
def _type_select(_context: Any) -> Callable[..., Any]:
    return lambda truths, yes, no: _NUMBERS[truths.lanes] if isinstance(truths, _Truths) and _alike(
        _NUMBERS[truths.lanes], yes, no) else None  # fmt: skip


@type_callable(every)
def _type_every(_context: Any) -> Callable[..., Any]:
    return lambda truths: types.boolean if isinstance(truths, _Truths) else None


@lower_builtin(store, types.Array, types.Integer, _Numbers)
def _lower_store(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array, at, vector = arguments
    builder.store(vector, _pointer(context, builder, signature.args[0], array, at, vector.type), align=8)
    return context.get_dummy_value()


@lower_builtin(root, _Numbers)
def _lower_root(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kind = signature.return_type
    function = ir.FunctionType(kind.llvm, [kind.llvm])
    name = f"llvm.sqrt.v{kind.lanes}f64"
    return builder.call(cgutils.get_or_insert_function(builder.module, function, name), arguments)


@lower_builtin(total, _Numbers)
def _lower_total(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    one, two, three, four = (builder.extract_element(arguments[0], ir.Constant(ir.IntType(32), k)) for k in range(4))
    return builder.fadd(builder.fadd(one, three), builder.fadd(two, four))


@lower_builtin(select, _Truths, types.Any, types.Any)
def _lower_select(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return builder.select(arguments[0], *(_spread(builder, a, signature.return_type) for a in arguments[1:]))


@lower_builtin(every, _Truths)
def _lower_every(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    bits = ir.IntType(signature.args[0].lanes)
    return builder.icmp_unsigned("==", builder.bitcast(arguments[0], bits), ir.Constant(bits, -1))


def _add_reader(read: Callable[..., Any], repeat: Callable[..., Any], kind: _Numbers) -> None:
    """Teach the compiler how vectors of one width are read and filled."""

    @type_callable(read)
    def _type_load(_context: Any) -> Callable[..., Any]:
        return lambda values, at: kind if _readable(values) and isinstance(at, types.Integer) else None

    @lower_builtin(read, types.Array, types.Integer)
    def _lower_load(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at = arguments
        return builder.load(_pointer(context, builder, signature.args[0], array, at, kind.llvm), align=8)

    @type_callable(repeat)
    def _type_fill(_context: Any) -> Callable[..., Any]:
        return lambda number: kind if isinstance(number, types.Float) else None

    @lower_builtin(repeat, types.Float)
    def _lower_fill(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _spread(builder, arguments[0], kind)


def _add_operator(symbol: Callable[..., Any], combine: Callable[..., Any], *, truths: bool = False) -> None:
    """Teach the compiler an operator between two vectors, or a vector and a number."""

    @type_callable(symbol)
    def _type(_context: Any) -> Callable[..., Any]:
        def kind(left: Any, right: Any) -> Any:
            found = _alike(left, right)
            return _TRUTHS[found.lanes] if found and truths else found

        return kind

    def _lower(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = _alike(*signature.args)
        return combine(builder, *(_spread(builder, a, kind) for a in arguments))

    for pair in ((_Numbers, _Numbers), (_Numbers, types.Float), (types.Float, _Numbers)):
        lower_builtin(symbol, *pair)(_lower)


def _arithmetic(instruction: str) -> Callable[..., Any]:
    return lambda builder, left, right: getattr(builder, instruction)(left, right, flags=("contract",))


def _comparison(sign: str) -> Callable[..., Any]:
    """Compare; with NaN, only "not equal" is true."""
    if sign == "!=":
        return lambda builder, left, right: builder.fcmp_unordered(sign, left, right)
    return lambda builder, left, right: builder.fcmp_ordered(sign, left, right)


def _choice(sign: str) -> Callable[..., Any]:
    """Choose the other where it is beyond the first, else the first."""
    return lambda builder, left, right: builder.select(builder.fcmp_ordered(sign, right, left), right, left)


@type_callable(operator.and_)
def _type_both(_context: Any) -> Callable[..., Any]:
    return lambda left, right: left if isinstance(left, _Truths) and left is right else None


@lower_builtin(operator.and_, _Truths, _Truths)
def _lower_both(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    return builder.and_(*arguments)


_add_reader(load, fill, _NUMBERS[LANES])
_add_reader(load_wide, fill_wide, _NUMBERS[WIDE])
for _symbol, _instruction in (
    (operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"), (operator.truediv, "fdiv"),
):  # fmt: skip
    _add_operator(_symbol, _arithmetic(_instruction))
for _symbol, _sign in (
    (operator.gt, ">"), (operator.ge, ">="), (operator.lt, "<"), (operator.le, "<="), (operator.ne, "!="),
):  # fmt: skip
    _add_operator(_symbol, _comparison(_sign), truths=True)
_add_operator(greatest, _choice(">"))
_add_operator(least, _choice("<"))
