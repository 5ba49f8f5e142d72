"""The program over only those flows of stores that may move, all others kept as they are; other members stay whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from dispatch.model.program import Program
from kernels.entries import EXPORT, FLOWS, IMPORT, list_entries, make_entries

if TYPE_CHECKING:
    from dispatch.solve.blocks.programs import ProgramBlock
    from dispatch.solve.blocks.stores import Flows, StoreBlock

USED = 1e-9
"""Flows above this are in use. [kW]"""


class Restricted:
    """Which flows may move, and the program over them.

    Parameters
    ----------
    block : StoreBlock
        The members.
    rest : ProgramBlock
        All others, which stay whole.
    plan : Flows
        Values of the flows that may not move.
    free : ndarray (kind, member, step) of bool
        Flows that may move.
    """

    def __init__(self, block: StoreBlock, rest: ProgramBlock, plan: Flows, free: np.ndarray) -> None:
        self.block, self.rest, self.plan, self.free = block, rest, plan, free
        self.short = plan.shortfall > USED

    def grow(self, answer: Flows, worse: np.ndarray, plan: Flows) -> int:
        """Let flows move in which an answer differs from a plan; returns how many were added.

        Parameters
        ----------
        answer, plan : Flows
            What members would do, and what they do.
        worse : ndarray (member,) of bool
            Members whose plan costs more than their answer.
        """
        before = int(self.free.sum())
        differs = (np.abs(answer.flow - plan.flow) > USED).any(axis=0) & worse[:, None]
        used = (answer.flow > USED) | (plan.flow > USED)
        self.free |= used & differs
        self.short |= worse & (answer.shortfall > USED)
        return int(self.free.sum()) - before

    def program(self) -> Program:
        """State the program over what may move."""
        block, whole = self.block, self.block.program
        e = make_entries(self.free, self.short)
        list_entries(block.members, self.free, self.short, self.plan.flow, e)
        columns, rows, values = e.size
        self.entry = (e.kind[:columns], e.member[:columns], e.step[:columns])
        matrix = sp.csc_matrix((e.value[:values], (e.at_row[:values], e.at_column[:values])), shape=(rows, columns))
        fixed = np.where(self.free, 0.0, self.plan.flow)
        port = block.ports[self.entry[1], self.entry[2]]
        gives = np.select([self.entry[0] == EXPORT, self.entry[0] == IMPORT], [1.0, -1.0])
        does = np.nonzero(gives)[0]
        injection = sp.csr_matrix((gives[does], (port[does], does)), shape=(whole.injection.shape[0], columns))
        constant = whole.injection_constant + block.injection @ (fixed[EXPORT] - fixed[IMPORT]).ravel()
        rest, number = self.rest, len(self.rest.columns)
        if number:
            matrix = sp.csc_matrix(sp.block_diag((matrix, rest.matrix)))
            injection = sp.hstack((injection, rest.injection), format="csr")
        money = whole.constant + float((block.members.cost * fixed).sum())
        return Program(
            matrix,
            np.concatenate([e.row_lower[:rows], whole.row_lower[rest.rows]]),
            np.concatenate([e.row_upper[:rows], whole.row_upper[rest.rows]]),
            np.concatenate([e.lower[:columns], whole.lower[rest.columns]]),
            np.concatenate([e.upper[:columns], whole.upper[rest.columns]]),
            np.concatenate([e.cost[:columns], whole.cost[rest.columns]]),
            money, (), (), np.full(columns + number, -1, np.int32), injection, constant,
        )  # fmt: skip

    def decode(self, columns: np.ndarray) -> Flows:
        """Turn an optimum's columns into a plan of all members."""
        kind, member, step = self.entry
        flow = np.where(self.free, 0.0, self.plan.flow)
        flows = kind < FLOWS
        flow[kind[flows], member[flows], step[flows]] = np.maximum(columns[: len(kind)][flows], 0.0)
        return self.block.with_contents(flow)

    @property
    def entries(self) -> int:
        """How many pairs of member and step may move."""
        return int(self.free.any(axis=0).sum())
