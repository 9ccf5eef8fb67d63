// What the C library does with memory that is freed.
#pragma once
#include <malloc.h>

// From now on blocks of so many bytes and more get pages of their own, which return when they are freed.
static inline void highland_return_freed_blocks(int bytes) { mallopt(M_MMAP_THRESHOLD, bytes); }
