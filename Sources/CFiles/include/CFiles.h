// Functions for files that Swift cannot import from the C headers, as these declare them only for GNU.

#ifndef CFILES_H
#define CFILES_H

#include <stdint.h>

// Gives the first bytes of a file blocks on its disk: fallocate(2), which writes nothing, unlike posix_fallocate where the
// file system cannot do it. Returns 0, or -1 with errno.
int cfiles_allocate(int descriptor, int64_t byteCount);

#endif
