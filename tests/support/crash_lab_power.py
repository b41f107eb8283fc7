"""A power cut for the crash laboratory: what a process wrote and did not have flushed to the disk is lost.

The kernel keeps what a killed process wrote, so SIGKILL alone cannot show a missing flush. Here a small
library in front of the C library notes how long each write-ahead log was whenever it was flushed. After the
kill the logs are cut there, or somewhere behind, because the kernel may have written more by itself; their
index is lost.

Not shown: a disk that lies about flushing, and blocks that are written in another order.
"""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void note(int file) {
    char link[64], path[4096], line[4200];
    struct stat found;
    const char *log = getenv("CRASH_LAB_SYNCS");
    if (log == NULL || *log == 0) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 4 || strncmp(path + length - 4, "-wal", 4) != 0 || fstat(file, &found) != 0) return;
    path[length] = 0;
    int end = snprintf(line, sizeof line, "%lld %s\n", (long long)found.st_size, path);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (out >= 0 && write(out, line, end) == end) close(out);
}

int fdatasync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    note(file);  /* before: what is written meanwhile is not promised */
    return real(file);
}

int fsync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    note(file);
    return real(file);
}
"""


def flush_notes(folder: Path) -> Path | None:
    """Build the library; None where there is no C compiler."""
    source, library = folder / "flushes.c", folder / "flushes.so"
    source.write_text(_SOURCE)
    try:
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return library


def cut_power(data_dir: Path, syncs: Path, chance: random.Random) -> int:
    """Take away what was not flushed. To be called when the box is dead. Returns how many bytes were lost."""
    flushed: dict[str, int] = {}
    for line in syncs.read_text().splitlines() if syncs.exists() else ():
        size, _, path = line.partition(" ")
        flushed[path] = int(size)
    lost = 0
    for log in data_dir.glob("*-wal"):
        size = log.stat().st_size
        safe = min(size, flushed.get(str(log), 0))
        keep = safe + chance.choice((0, chance.randint(0, size - safe)))
        with log.open("r+b") as file:
            file.truncate(keep)
        with syncs.open("a") as notes:
            notes.write(f"{keep} {log}\n")  # what the cut has left is on the disk
        lost += size - keep
        log.with_name(log.name.removesuffix("-wal") + "-shm").unlink(missing_ok=True)
    return lost
