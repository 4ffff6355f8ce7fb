"""The filter of system calls of a worker: it opens no socket, starts no program and no process, and touches no other.

Built by hand for the two processors that servers have, as a list of what is refused: the libraries that read reports
need many calls, and a refused one gives them an error that they know. See seccomp(2) and the kernel's filter.rst.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys

# Numbers from the kernel's unistd tables: x86-64, and the generic table of aarch64; -1 where there is no such call.
CALLS = {
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "fork": (57, -1),
    "vfork": (58, -1),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "mknodat": (259, 33),
    "mknod": (133, -1),
}
CLONE = (56, 220)
CLONE3 = (435, 435)
SECCOMP = (317, 277)
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
CLONE_THREAD = 0x00010000
CLONE_NEW_NAMESPACE = 0x7E020000
X32 = 0x40000000
ALLOW = 0x7FFF0000
REFUSE = 0x00050000
SET_MODE_FILTER = 1
ALL_THREADS = 1
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER_AT, ARCHITECTURE_AT, FIRST_ARGUMENT_AT = 0, 4, 16

Instruction = tuple[int, int, int, int]


def program(column: int, architecture: int) -> list[Instruction]:
    """Return the filter as instructions of the kernel's packet filter.

    Parameters
    ----------
    column : int
        Which of the two numbers of each call counts.
    architecture : int
        The kernel's mark of the processor; calls by another mark are refused.
    """
    refuse, missing = (RETURN, 0, 0, REFUSE | errno.EPERM), (RETURN, 0, 0, REFUSE | errno.ENOSYS)
    lines: list[Instruction] = [(LOAD, 0, 0, ARCHITECTURE_AT), (JUMP_EQUAL, 1, 0, architecture), refuse]
    lines += [(LOAD, 0, 0, NUMBER_AT), (JUMP_AT_LEAST, 0, 1, X32), refuse]
    for numbers in CALLS.values():
        if numbers[column] >= 0:
            lines += [(JUMP_EQUAL, 0, 1, numbers[column]), refuse]
    # Its flags lie where no filter sees them; libraries then take clone, whose flags are seen.
    lines += [(JUMP_EQUAL, 0, 1, CLONE3[column]), missing]
    lines += [(JUMP_EQUAL, 1, 0, CLONE[column]), (RETURN, 0, 0, ALLOW)]
    lines += [(LOAD, 0, 0, FIRST_ARGUMENT_AT), (JUMP_ANY, 0, 1, CLONE_NEW_NAMESPACE), refuse]
    return [*lines, (JUMP_ANY, 1, 0, CLONE_THREAD), refuse, (RETURN, 0, 0, ALLOW)]


def refuse_calls() -> bool:
    """Put the filter over all threads of this process for good; tells whether the system took it.

    The process must have given up further privileges before (:func:`flows.confine.limits.limit_process`).
    """
    known = ARCHITECTURES.get(platform.machine())
    if not sys.platform.startswith("linux") or known is None or sys.maxsize < 2**32:
        return False
    packed = b"".join(struct.pack("HBBI", *line) for line in program(*known))
    lines = ctypes.create_string_buffer(packed, len(packed))
    described = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(packed) // 8, ctypes.addressof(lines)))
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    number = ctypes.c_long(SECCOMP[known[0]])
    return bool(call(number, ctypes.c_long(SET_MODE_FILTER), ctypes.c_long(ALL_THREADS), described) == 0)
