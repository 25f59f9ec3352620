"""What can go wrong that the user can mend; each error owns its exit code and a hint.

LongshoreError 1
  ConfigError 2            a fault in a file or a flag, with its place
  DataError 3              a data set or a model folder that cannot be used
  ProviderError 4          a place to run said no
    UnreachableError 4     it does not answer: what runs there may well live
      NoEngineError 4      no Docker engine answers
    NoOfferError 4         nothing on offer fits the job
      NoCapacityError 4    the place has none of these now: another kind or time may do
    AccountError 4         the account cannot: key, rights, balance, spending limit
    MachineLostError 4     the machine went away while the job ran
  BuildError 5             the image could not be built
  JobFailedError 6         the job itself ended with a fault
  BusyError 7              another command holds the same run
  LedgerError 8            the record of runs cannot be read or written
  SyncError 9              files did not arrive whole
    OutputsKeptError 9     outputs are not home yet; their machine is kept
  LeftRunningError 10      a machine could not be proven gone
  GuardError 11            a limit the user set was reached
  NotFoundError 12         no such run, report or machine
  InterruptedRunError 75   stopped with a committed checkpoint: it can be resumed
  CancelledError 130       stopped by the user before there was anything to save
"""

from collections.abc import Iterable
from difflib import get_close_matches


class LongshoreError(Exception):
    """Shown as one line without a traceback; `hint` says what to do about it."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(LongshoreError):
    """A fault in what the user wrote; `where` is `file:line:col` or the flag's name."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "", where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message, hint)
        self.where = where


class DataError(LongshoreError):
    exit_code = 3


class ProviderError(LongshoreError):
    exit_code = 4


class UnreachableError(ProviderError):
    """The place does not answer: what runs there may well live."""


class NoEngineError(UnreachableError):
    """No Docker engine answers."""


class NoOfferError(ProviderError):
    """Nothing on offer fits the job."""


class NoCapacityError(NoOfferError):
    """The place has no such machine now: another kind, or a later time, may do."""


class AccountError(ProviderError):
    """The account says no (key, rights, balance, spending limit): no other machine will do."""


class MachineLostError(ProviderError):
    """The machine, or its engine, went away while the job ran."""


class BuildError(LongshoreError):
    exit_code = 5


class JobFailedError(LongshoreError):
    exit_code = 6


class BusyError(LongshoreError):
    exit_code = 7


class LedgerError(LongshoreError):
    exit_code = 8


class SyncError(LongshoreError):
    exit_code = 9


class OutputsKeptError(SyncError):
    """Outputs are not home yet, so their machine is kept."""


class LeftRunningError(LongshoreError):
    exit_code = 10


class GuardError(LongshoreError):
    exit_code = 11


class NotFoundError(LongshoreError):
    exit_code = 12


class InterruptedRunError(LongshoreError):
    exit_code = 75


class CancelledError(LongshoreError):
    exit_code = 130


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as a question, or the list of all known words."""
    names = list(known)
    near = get_close_matches(word, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
