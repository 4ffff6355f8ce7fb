"""Where files of strangers are read: workers without network, home folder or store, whose answers are plain data.

::

    bubblewrap     the box: namespaces in which a worker sees Python, this software and an empty scratch folder
    limits         what holds in every worker: limits of the system, no further privileges, no credentials
    system_calls   the filter of system calls: no sockets, no other programs, no further processes
    errand         what the parent does for a call: it opens the file, and stores what comes back
    answers        how a result travels: as plain data, never as objects that could run code
    process, worker    the two ends of a worker
"""

from __future__ import annotations

from typing import Literal

from flows.confine import bubblewrap
from shuzhi import UsageError

Confine = Literal["auto", "required", "off"]
Confined = Literal["bubblewrap", "limits"]


def decide(confine: Confine) -> Confined:
    """Return how workers are confined on this machine.

    Parameters
    ----------
    confine : {'auto', 'required', 'off'}
        ``auto`` takes bubblewrap where it works, ``required`` insists on it, ``off`` does without.

    Raises
    ------
    UsageError
        If it is required and does not work here; the message says why.
    """
    if confine == "off":
        return "limits"
    trouble = bubblewrap.trouble()
    if trouble and confine == "required":
        raise UsageError(f"workers cannot be confined: {trouble}; or use --confine auto, which then sets limits alone")
    return "limits" if trouble else "bubblewrap"
