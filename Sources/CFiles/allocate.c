#define _GNU_SOURCE
#include <fcntl.h>

#include "CFiles.h"

int cfiles_allocate(int descriptor, int64_t byteCount) {
  return fallocate(descriptor, 0, 0, byteCount);
}
