"""How kernels that call kernels are compiled: in one piece, each function translated once, optimised with its caller.

Numba compiles every function it meets on its own first, with wrappers that take Python objects, optimises it, makes
machine code of it, and then links it into its caller, where all of that happens again: three quarters of the time went
into code that nobody ran. Here a kernel that Python calls is compiled whole; where a kernel calls it, it is a *part*:
translated, and left to its caller.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import NativeLowering

if TYPE_CHECKING:
    from collections.abc import Callable


class _PartLibrary(JITCodeLibrary):  # type: ignore[misc]
    """Translated code that waits to be linked into that of a caller."""

    def _optimize_final_module(self) -> None:
        """Leave that to the caller."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _PartLowering(NativeLowering):  # type: ignore[misc]
    """Translate a part to LLVM's language, without wrappers and machine code."""

    _name = "part_lowering"

    def run_pass(self, state: Any) -> bool:
        context = state.targetctx
        state.library = _PartLibrary(context.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        key = object()  # stands for the address that it does not have
        state["cr"] = state["cr"]._replace(cfunc=key)
        context.insert_user_function(key, state["cr"].fndesc, [state.library])
        return True


class _PartCompiler(CompilerBase):  # type: ignore[misc]
    """Numba's passes, the last but for the translation replaced."""

    def define_pipelines(self) -> list[Any]:
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
        manager.passes = [(_PartLowering if p is NativeLowering else p, text) for p, text in manager.passes]
        manager.finalize()
        return [manager]


class _Part(CPUDispatcher):  # type: ignore[misc]
    """A kernel as others call it; Python cannot.

    It is translated once for all integers: a version for each constant that callers hand in is what LLVM makes of it
    anyway once it is part of the caller.
    """

    def get_call_template(self, args: Any, kws: Any) -> Any:
        return super().get_call_template(tuple(_general(a) for a in args), {k: _general(a) for k, a in kws.items()})

    def add_overload(self, result: Any) -> None:
        self.overloads[tuple(result.signature.args)] = result


def _general(argument: Any) -> Any:
    """Type of an argument without the value that is known of it."""
    plain = types.unliteral(argument)  # type: ignore[attr-defined]
    return types.int64 if isinstance(plain, types.Integer) else plain


class Kernel(CPUDispatcher):  # type: ignore[misc]
    """A kernel as Python calls it; other kernels meet its part.

    Parameters
    ----------
    function : callable
        What is compiled.
    options : dict
        Numba's, for both.
    """

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        alone = {**options, "nopython": True, "boundscheck": None, "no_cfunc_wrapper": True}
        super().__init__(function, targetoptions=alone)
        self.part = _Part(function, targetoptions={**alone, "no_cpython_wrapper": True}, pipeline_class=_PartCompiler)

    @property
    def _numba_type_(self) -> Any:
        return types.Dispatcher(self.part)

    def compile(self, signature: Any) -> Any:
        """Compile for types of arguments; nothing is collected meanwhile, of millions of objects none would go."""
        collecting = gc.isenabled()
        gc.disable()
        try:
            return super().compile(signature)
        finally:
            if collecting:
                gc.enable()
