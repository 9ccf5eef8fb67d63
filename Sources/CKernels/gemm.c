#include "gemm.h"

#include <stdlib.h>
#include <string.h>

// Each level is the same always-inlined body in a function with a `target` attribute, and the
// choice is explicit rather than by `target_clones`: so a test can compare the levels' bits.
#if defined(__x86_64__)
#define HAS_X86_LEVELS 1
#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#else
#define HAS_X86_LEVELS 0
#endif

#define BODY static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

#pragma STDC FP_CONTRACT OFF

// Sixteen floats anywhere in memory; two registers with AVX2, four with SSE or NEON.
typedef float vector __attribute__((ext_vector_type(16), aligned(4), may_alias));
typedef float half_vector __attribute__((ext_vector_type(8), aligned(4), may_alias));
// Vectors are passed by pointer: in a register their convention would depend on the target.

enum {
  lanes = 16,
  panel_columns = 64,
  // Rows of A by depth of a block: 96 KiB, in L2 beside the panel of B (64 KiB) that it meets.
  block_rows = 96,
  block_depth = 256,
};

int highland_supported_simd_level(void) {
#if HAS_X86_LEVELS
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    return highland_simd_portable;
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return highland_simd_avx512;
  }
  return highland_simd_avx2;
#else
  return highland_simd_portable;
#endif
}

int highland_named_simd_level(const char *name) {
  if (strcmp(name, "portable") == 0) return highland_simd_portable;
  if (strcmp(name, "avx2") == 0) return highland_simd_avx2;
  if (strcmp(name, "avx512") == 0) return highland_simd_avx512;
  return -1;
}

int highland_simd_level(void) {
  // Every thread that comes first finds the same.
  static _Atomic int known = -1;
  int level = known;
  if (level >= 0) return level;
  level = highland_supported_simd_level();
  const char *name = getenv("HIGHLAND_KERNEL");
  int wanted = name ? highland_named_simd_level(name) : -1;
  if (wanted >= 0 && wanted < level) level = wanted;
  known = level;
  return level;
}

BODY size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

size_t highland_packed_count(size_t columns, size_t depth) {
  return (columns + panel_columns - 1) / panel_columns * panel_columns * depth;
}

// MARK: Packing

// Writes the transpose of the 8 x 8 block whose rows begin at rows[0 ..< 8] + offset.
BODY void transpose_8x8(const float *const *rows, const size_t *offset, float *out, size_t stride) {
  half_vector r[8], s[8];
  UNROLL for (int i = 0; i < 8; i++) r[i] = *(const half_vector *)(rows[i] + offset[i]);
  UNROLL for (int i = 0; i < 8; i += 2) {
    s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  UNROLL for (int i = 0; i < 8; i += 4) {
    UNROLL for (int j = 0; j < 2; j++) {
      r[i + 2 * j] =
          __builtin_shufflevector(s[i + j], s[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      r[i + 2 * j + 1] =
          __builtin_shufflevector(s[i + j], s[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
  UNROLL for (int i = 0; i < 4; i++) {
    *(half_vector *)(out + i * stride) =
        __builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    *(half_vector *)(out + (i + 4) * stride) =
        __builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

BODY void pack_rows(
    const float *rows, size_t row_stride, size_t row_count, size_t depth, float *packed) {
  static const float zeros[8] = {0};
  for (size_t first = 0; first < row_count; first += panel_columns) {
    const size_t count = smaller(row_count - first, panel_columns);
    const float *panel_rows = rows + first * row_stride;
    float *panel = packed + first * depth;
    size_t k = 0;
    // A cache line of each row at a time, eight rows at a time.
    for (; k + 16 <= depth; k += 16) {
      for (size_t j = 0; j < panel_columns; j += 8) {
        const float *row[8];
        size_t offset[8], next[8];
        UNROLL for (size_t i = 0; i < 8; i++) {
          const int isRow = j + i < count;
          row[i] = isRow ? panel_rows + (j + i) * row_stride : zeros;
          offset[i] = isRow ? k : 0;
          next[i] = isRow ? k + 8 : 0;
        }
        transpose_8x8(row, offset, panel + k * panel_columns + j, panel_columns);
        transpose_8x8(row, next, panel + (k + 8) * panel_columns + j, panel_columns);
      }
    }
    for (; k < depth; k++) {
      float *out = panel + k * panel_columns;
      for (size_t j = 0; j < count; j++) out[j] = panel_rows[j * row_stride + k];
      for (size_t j = count; j < panel_columns; j++) out[j] = 0;
    }
  }
}

void highland_pack_columns(
    const float *b, size_t row_stride, size_t depth, size_t columns, float *packed) {
  for (size_t first = 0; first < columns; first += panel_columns) {
    const size_t count = smaller(columns - first, panel_columns);
    float *panel = packed + first * depth;
    for (size_t k = 0; k < depth; k++) {
      float *out = panel + k * panel_columns;
      memcpy(out, b + k * row_stride + first, count * sizeof(float));
      memset(out + count, 0, (panel_columns - count) * sizeof(float));
    }
  }
}

// MARK: Products

// The first `count` of 1 ... 16 floats, then zeros, without touching memory beyond them.
BODY void load_first(vector *value, const float *from, size_t count) {
  if (count == lanes) {
    *value = *(const vector *)from;
    return;
  }
  float all[lanes] = {0};
  size_t i = 0;
  if (count & 8) memcpy(all, from, 32), i = 8;
  if (count & 4) memcpy(all + i, from + i, 16), i += 4;
  if (count & 2) memcpy(all + i, from + i, 8), i += 2;
  if (count & 1) all[i] = from[i];
  *value = *(const vector *)all;
}

BODY void store_first(const vector *value, float *to, size_t count) {
  if (count == lanes) {
    *(vector *)to = *value;
    return;
  }
  float all[lanes];
  *(vector *)all = *value;
  size_t i = 0;
  if (count & 8) memcpy(to, all, 32), i = 8;
  if (count & 4) memcpy(to + i, all + i, 16), i += 4;
  if (count & 2) memcpy(to + i, all + i, 8), i += 2;
  if (count & 1) to[i] = all[i];
}

// Where the elements of a product's sides are: a[i][k] is a[i * a_row + k * a_depth], and row k of
// the 64 columns of a panel begins at b + k * b_stride. One of the strides of A is the constant 1.
typedef struct {
  size_t a_row, a_depth, b_stride;
} strides;

// One tile of C, held in registers over the whole depth: `row_count` rows of `vector_count`
// vectors, both constants where this is inlined. The last vector has `last` columns.
BODY void multiply_tile(
    const size_t row_count, const size_t vector_count, const float *a, strides s,
    const float *panel, float *c, size_t c_stride, size_t last, size_t depth, const float *initial,
    int accumulate) {
  vector sum[8][4];
  const float *row[8];
  UNROLL for (size_t i = 0; i < row_count; i++) {
    row[i] = a + i * s.a_row;
    UNROLL for (size_t j = 0; j < vector_count; j++) {
      const float *start = accumulate ? c + i * c_stride : initial;
      if (start) {
        load_first(&sum[i][j], start + j * lanes, j + 1 < vector_count ? lanes : last);
      } else {
        sum[i][j] = (vector)0.0f;
      }
    }
  }
  for (size_t k = 0; k < depth; k++) {
    const vector *b = (const vector *)(panel + k * s.b_stride);
    UNROLL for (size_t i = 0; i < row_count; i++) {
      const vector x = (vector)row[i][k * s.a_depth];
      UNROLL for (size_t j = 0; j < vector_count; j++) {
        sum[i][j] = __builtin_elementwise_fma(x, b[j], sum[i][j]);
      }
    }
  }
  UNROLL for (size_t i = 0; i < row_count; i++) {
    UNROLL for (size_t j = 0; j < vector_count; j++) {
      float *to = c + i * c_stride + j * lanes;
      store_first(&sum[i][j], to, j + 1 < vector_count ? lanes : last);
    }
  }
}

// A strip of C of `vector_count` vectors: tiles of `tile_rows` rows, and smaller ones for the rest.
BODY void multiply_strip(
    const size_t tile_rows, const size_t vector_count, const float *a, strides s,
    const float *panel, float *c, size_t c_stride, size_t m, size_t last, size_t depth,
    const float *initial, int accumulate) {
  size_t i = 0;
#define TILES(rows) \
  for (; i + (rows) <= m; i += (rows)) { \
    multiply_tile( \
        rows, vector_count, a + i * s.a_row, s, panel, c + i * c_stride, c_stride, last, depth, \
        initial, accumulate); \
  }
  TILES(tile_rows)
  TILES(4)
  TILES(2)
  TILES(1)
#undef TILES
}

// - Parameters:
//   - strip_vectors: How many vectors wide a tile is; a constant.
//   - panel_step: From the first element of a panel to that of the next.
BODY void multiply(
    const size_t strip_vectors, const float *a, strides s, const float *b, size_t panel_step,
    float *c, size_t c_stride, size_t m, size_t n, size_t depth, const float *initial,
    int accumulate) {
  const size_t depth_blocks = depth == 0 ? 1 : (depth + block_depth - 1) / block_depth;
  const size_t strip_columns = strip_vectors * lanes;
  for (size_t i = 0; i < m; i += block_rows) {
    const size_t rows = smaller(m - i, block_rows);
    for (size_t block = 0; block < depth_blocks; block++) {
      // The chain goes on through C from block to block: storing a float does not round it.
      const size_t k = depth * block / depth_blocks;
      const size_t length = depth * (block + 1) / depth_blocks - k;
      for (size_t j = 0; j < n; j += strip_columns) {
        const size_t columns = smaller(n - j, strip_columns);
        const size_t vectors = (columns + lanes - 1) / lanes;
        const size_t last = columns - (vectors - 1) * lanes;
        const float *a_block = a + i * s.a_row + k * s.a_depth;
        const float *b_block =
            b + j / panel_columns * panel_step + k * s.b_stride + j % panel_columns;
        float *c_block = c + i * c_stride + j;
        const float *start = initial ? initial + j : NULL;
        const int goes_on = accumulate || block > 0;
#define STRIP(tile_rows, vector_count) \
  multiply_strip( \
      tile_rows, vector_count, a_block, s, b_block, c_block, c_stride, rows, last, length, start, \
      goes_on)
        // 24 sums, 8 for one vector, leave registers for a row of B and hide the latency.
        if (strip_vectors == 1) {
          STRIP(6, 1);
        } else if (vectors == 4) {
          STRIP(6, 4);
        } else if (vectors == 3) {
          STRIP(8, 3);
        } else if (vectors == 2) {
          STRIP(8, 2);
        } else {
          STRIP(8, 1);
        }
#undef STRIP
      }
    }
  }
}

BODY void multiply_packed(
    const size_t strip_vectors, const float *a, size_t a_stride, const float *packed, float *c,
    size_t c_stride, size_t m, size_t n, size_t depth, const float *initial, int accumulate) {
  const strides s = {a_stride, 1, panel_columns};
  multiply(
      strip_vectors, a, s, packed, panel_columns * depth, c, c_stride, m, n, depth, initial,
      accumulate);
}

BODY void multiply_transposed(
    const size_t strip_vectors, const float *a, size_t a_stride, const float *b, size_t b_stride,
    size_t panel_step, float *c, size_t c_stride, size_t m, size_t n, size_t depth) {
  const strides s = {1, a_stride, b_stride};
  multiply(strip_vectors, a, s, b, panel_step, c, c_stride, m, n, depth, NULL, 0);
}

BODY void multiply_rows(
    const size_t strip_vectors, const float *a, size_t a_stride, const float *b, size_t b_stride,
    size_t panel_step, float *c, size_t c_stride, size_t m, size_t n, size_t depth) {
  const strides s = {a_stride, 1, b_stride};
  multiply(strip_vectors, a, s, b, panel_step, c, c_stride, m, n, depth, NULL, 0);
}

// MARK: Levels

#define PACK_PARAMETERS \
  const float *rows, size_t row_stride, size_t row_count, size_t depth, float *packed
#define PACK_ARGUMENTS rows, row_stride, row_count, depth, packed
#define MULTIPLY_PARAMETERS \
  const float *a, size_t a_stride, const float *packed, float *c, size_t c_stride, size_t m, \
      size_t n, size_t depth, const float *initial, int accumulate
#define MULTIPLY_ARGUMENTS a, a_stride, packed, c, c_stride, m, n, depth, initial, accumulate

#define IN_PLACE_PARAMETERS \
  const float *a, size_t a_stride, const float *b, size_t b_stride, size_t panel_step, float *c, \
      size_t c_stride, size_t m, size_t n, size_t depth
#define IN_PLACE_ARGUMENTS a, a_stride, b, b_stride, panel_step, c, c_stride, m, n, depth

static void pack_rows_portable(PACK_PARAMETERS) { pack_rows(PACK_ARGUMENTS); }
static void multiply_packed_portable(MULTIPLY_PARAMETERS) {
  multiply_packed(1, MULTIPLY_ARGUMENTS);
}
static void multiply_rows_portable(IN_PLACE_PARAMETERS) { multiply_rows(1, IN_PLACE_ARGUMENTS); }
static void multiply_transposed_portable(IN_PLACE_PARAMETERS) {
  multiply_transposed(1, IN_PLACE_ARGUMENTS);
}

#if HAS_X86_LEVELS
AVX2 static void pack_rows_avx2(PACK_PARAMETERS) { pack_rows(PACK_ARGUMENTS); }
AVX2 static void multiply_packed_avx2(MULTIPLY_PARAMETERS) {
  multiply_packed(1, MULTIPLY_ARGUMENTS);
}
AVX2 static void multiply_rows_avx2(IN_PLACE_PARAMETERS) { multiply_rows(1, IN_PLACE_ARGUMENTS); }
AVX2 static void multiply_transposed_avx2(IN_PLACE_PARAMETERS) {
  multiply_transposed(1, IN_PLACE_ARGUMENTS);
}
AVX512 static void pack_rows_avx512(PACK_PARAMETERS) { pack_rows(PACK_ARGUMENTS); }
AVX512 static void multiply_packed_avx512(MULTIPLY_PARAMETERS) {
  multiply_packed(4, MULTIPLY_ARGUMENTS);
}
AVX512 static void multiply_rows_avx512(IN_PLACE_PARAMETERS) {
  multiply_rows(4, IN_PLACE_ARGUMENTS);
}
AVX512 static void multiply_transposed_avx512(IN_PLACE_PARAMETERS) {
  multiply_transposed(4, IN_PLACE_ARGUMENTS);
}
#endif

void highland_pack_rows_at(int level, PACK_PARAMETERS) {
#if HAS_X86_LEVELS
  if (level == highland_simd_avx512) {
    pack_rows_avx512(PACK_ARGUMENTS);
    return;
  }
  if (level == highland_simd_avx2) {
    pack_rows_avx2(PACK_ARGUMENTS);
    return;
  }
#endif
  pack_rows_portable(PACK_ARGUMENTS);
}

void highland_multiply_packed_at(int level, MULTIPLY_PARAMETERS) {
#if HAS_X86_LEVELS
  if (level == highland_simd_avx512) {
    multiply_packed_avx512(MULTIPLY_ARGUMENTS);
    return;
  }
  if (level == highland_simd_avx2) {
    multiply_packed_avx2(MULTIPLY_ARGUMENTS);
    return;
  }
#endif
  multiply_packed_portable(MULTIPLY_ARGUMENTS);
}

void highland_pack_rows(PACK_PARAMETERS) {
  highland_pack_rows_at(highland_simd_level(), PACK_ARGUMENTS);
}

void highland_multiply_packed(MULTIPLY_PARAMETERS) {
  highland_multiply_packed_at(highland_simd_level(), MULTIPLY_ARGUMENTS);
}

// Whether `b` is packed or stands as rows of n columns, which must then be whole vectors: what lies
// behind a row is not touched.
#define DISPATCHED(name) \
  void highland_##name##_at( \
      int level, const float *a, size_t a_stride, const float *b, size_t b_stride, float *c, \
      size_t c_stride, size_t m, size_t n, size_t depth) { \
    const size_t panel_step = b_stride ? panel_columns : panel_columns * depth; \
    if (!b_stride) b_stride = panel_columns; \
    X86_LEVEL(avx512, name) \
    X86_LEVEL(avx2, name) \
    name##_portable(IN_PLACE_ARGUMENTS); \
  } \
  void highland_##name( \
      const float *a, size_t a_stride, const float *b, size_t b_stride, float *c, size_t c_stride, \
      size_t m, size_t n, size_t depth) { \
    highland_##name##_at( \
        highland_simd_level(), a, a_stride, b, b_stride, c, c_stride, m, n, depth); \
  }
#if HAS_X86_LEVELS
#define X86_LEVEL(level_name, name) \
  if (level == highland_simd_##level_name) { \
    name##_##level_name(IN_PLACE_ARGUMENTS); \
    return; \
  }
#else
#define X86_LEVEL(level_name, name)
#endif

DISPATCHED(multiply_rows)
DISPATCHED(multiply_transposed)
