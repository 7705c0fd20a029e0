"""Whose turn it is to work on SQLite: one thread works for all who wait.

Threads that want SQLite at the same time have one of them work for all (flat combining, Hendler et
al. 2010): each unit stands behind a savepoint of its own, all share a commit and so one wait for
the disk, and none hears that its unit is over before that is. PostgreSQL does the like by itself.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from threading import Lock
from typing import Any, Final, TypeVar

from sqlalchemy import Engine, event
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.pool import PoolProxiedConnection

from broker import brief
from broker.brief import Batch, Brief, hasty

MOST: Final = 32
"""Errands that share a commit: the first of them waits for the last."""
_TOO_LONG: Final = "others work for too long"

T = TypeVar("T")


class Writer:
    """Works on SQLite for this process, a thread at a time.

    More threads would do no more: each statement lets another one have the interpreter, and the
    time goes in handing it over. So whoever has the turn does the errands of all who wait for it,
    in one transaction, and they sleep until theirs is over.
    """

    def __init__(self, engine: Engine) -> None:
        self._turn, self._engine = Lock(), engine
        self._errands = deque[_Errand]()
        self._alone = deque[None]()
        self._kept = deque[PoolProxiedConnection]()
        self._batch: Batch | None = None
        self._wrote: Batch | None = None
        event.listen(engine, "engine_disposed", lambda _: self._let_go())

    def do(self, work: Callable[[], T]) -> T:
        """What `work` returns, which may ask for units; what they wrote is committed by then.

        Raises what `work` raises, and what the database raises.
        """
        errand = _Errand(work)
        self._errands.append(errand)
        while not errand.is_over:
            if not self._alone and self._turn.acquire(blocking=False):
                self._serve()
            elif not errand.wait(brief.WAIT_S):
                self._give_up(errand)
        answer: T = errand.told()
        return answer

    @contextmanager
    def unit(self) -> Iterator[Brief]:
        """A unit of work of the errand that is being done."""
        batch = self._batch = self._batch or Batch(self._engine.dialect, self._connection())
        try:
            with batch.member() as tx:
                yield tx
        except BaseException:
            if not batch.size or batch.is_spoilt:
                self._close()
            raise
        self._wrote = batch

    @contextmanager
    def reading(self) -> Iterator[Brief]:
        """A unit of the errand that is being done that writes nothing and holds nobody up."""
        pooled = self._connection()
        with brief.reading(self._engine.dialect, pooled) as tx:
            yield tx
        self._kept.append(pooled)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While it lasts no other thread works here: a session of this one's may write.

        Raises what a database raises where others work for too long.
        """
        self._alone.append(None)
        try:
            held = self._turn.acquire(timeout=brief.WAIT_S)
        finally:
            self._alone.pop()
        if not held:
            self._wake_one()
            raise NoConnection(_TOO_LONG)
        try:
            yield
        finally:
            self._leave()

    def _serve(self) -> None:
        """Do what is asked for, and make it last; called by whoever has the turn, which it ends."""
        over: list[_Errand] = []
        try:
            while self._errands and len(over) < MOST:
                errand = self._errands.popleft()
                over.append(errand)
                self._wrote = None
                errand.do()
                errand.wrote = self._wrote
            for errand in over:
                if errand.wrote is None:  # it need not wait for the disk
                    errand.end()
            self._close()
        finally:
            self._leave()
            for errand in over:
                if not errand.is_over:
                    errand.end()

    def _leave(self) -> None:
        self._turn.release()
        self._wake_one()

    def _wake_one(self) -> None:
        # Whoever came while the turn was taken sleeps: one of them must look again. Those who want
        # it alone need not be woken, and wake one themselves when they are done.
        if not self._alone and self._errands:
            with suppress(IndexError):
                self._errands[0].wake()

    def _give_up(self, errand: "_Errand") -> None:
        with suppress(ValueError):  # somebody is doing it
            self._errands.remove(errand)
            raise NoConnection(_TOO_LONG)

    def _close(self) -> None:
        batch, self._batch = self._batch, None
        if batch is not None and batch.close():
            self._kept.append(batch.pooled)

    def _connection(self) -> PoolProxiedConnection:
        # Kept from turn to turn: giving it back and asking for it again is a tenth of a request.
        # Reading goes on with what wrote last: any other would have to read its pages again.
        return self._kept.pop() if self._kept else hasty(self._engine)

    def _let_go(self) -> None:
        while self._kept:
            self._kept.pop().invalidate()  # the pool has forgotten it


class _Errand:
    """What a thread wants done by whoever has the turn, as if by itself."""

    __slots__ = ("_answer", "_asleep", "_context", "_error", "_work", "is_over", "wrote")

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work, self._context = work, copy_context()
        self._asleep = Lock()
        self._asleep.acquire()
        self._answer: Any = None
        self._error: BaseException | None = None
        self.wrote: Batch | None = None
        self.is_over = False

    def do(self) -> None:
        """Whatever becomes of it is for its own thread to hear."""
        try:
            self._answer = self._context.run(self._work)
        except BaseException as error:  # noqa: BLE001  told to whose it is
            self._error = error

    def wait(self, within_s: float) -> bool:
        """Whether somebody woke its thread within so many seconds."""
        return self._asleep.acquire(timeout=within_s)

    def wake(self) -> None:
        """Its thread is to look again."""
        with suppress(RuntimeError):  # it was woken already
            self._asleep.release()

    def end(self) -> None:
        """It is over, and its thread may hear it."""
        self.is_over = True
        self.wake()

    def told(self) -> Any:
        """What came of it. Raises what it raised, or what the database did not keep of it."""
        if self.wrote is not None:
            self.wrote.tell()
        if self._error is not None:
            raise self._error
        return self._answer
