#include "COpenBLAS.h"

#include <dlfcn.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *name;
  char *value;
} variable;

// Sets a variable and remembers what it was.
static variable replace(const char *name, const char *value) {
  const char *before = getenv(name);
  const variable old = {name, before ? strdup(before) : NULL};
  setenv(name, value, 1);
  return old;
}

static void restore(variable old) {
  if (old.value) {
    setenv(old.name, old.value, 1);
  } else {
    unsetenv(old.name);
  }
  free(old.value);
}

const char *copenblas_load(
    copenblas_library *library, const char *file, const char *core, const char *thread_count) {
  variable old_core, old_count;
  if (core) old_core = replace("OPENBLAS_CORETYPE", core);
  if (thread_count) old_count = replace("OPENBLAS_NUM_THREADS", thread_count);
  library->handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  const char *error = library->handle ? NULL : dlerror();
  if (core) restore(old_core);
  if (thread_count) restore(old_count);
  if (!library->handle) return error;

  *(void **)&library->config = dlsym(library->handle, "openblas_get_config");
  *(void **)&library->core = dlsym(library->handle, "openblas_get_corename");
  *(void **)&library->thread_count = dlsym(library->handle, "openblas_get_num_threads");
  *(void **)&library->set_thread_count = dlsym(library->handle, "openblas_set_num_threads");
  *(void **)&library->sgemm = dlsym(library->handle, "cblas_sgemm");
  *(void **)&library->dsyevd = dlsym(library->handle, "dsyevd_");
  if (library->config && library->core && library->thread_count && library->set_thread_count &&
      library->sgemm) {
    return NULL;
  }
  copenblas_unload(library);
  return "it lacks functions of OpenBLAS";
}

void copenblas_unload(copenblas_library *library) {
  if (library->handle) dlclose(library->handle);
  memset(library, 0, sizeof *library);
}

const char *copenblas_config(const copenblas_library *library) { return library->config(); }

const char *copenblas_core(const copenblas_library *library) { return library->core(); }

int copenblas_thread_count(const copenblas_library *library) { return library->thread_count(); }

void copenblas_set_thread_count(const copenblas_library *library, int count) {
  library->set_thread_count(count);
}

void copenblas_sgemm(
    const copenblas_library *library, int transposes_a, int transposes_b, int m, int n, int k,
    const float *a, int lda, const float *b, int ldb, float *c, int ldc) {
  enum { row_major = 101, as_is = 111, transposed = 112 };
  library->sgemm(
      row_major, transposes_a ? transposed : as_is, transposes_b ? transposed : as_is, m, n, k, 1, a,
      lda, b, ldb, 0, c, ldc);
}

int copenblas_has_lapack(const copenblas_library *library) { return library->dsyevd != NULL; }

int copenblas_dsyevd(const copenblas_library *library, int n, double *a, double *values) {
  double size;
  int integer_size, size_is_asked = -1, info = 0;
  library->dsyevd(
      "V", "U", &n, a, &n, values, &size, &size_is_asked, &integer_size, &size_is_asked, &info, 1, 1);
  if (info) return info;
  // LAPACK counts by 32 bits; it has rounded a larger size away.
  if (size < 1 || size > INT_MAX || integer_size < 1) return copenblas_no_memory;
  int count = (int)size;
  double *work = malloc((size_t)count * sizeof *work);
  int *integers = malloc((size_t)integer_size * sizeof *integers);
  if (work && integers) {
    library->dsyevd(
        "V", "U", &n, a, &n, values, work, &count, integers, &integer_size, &info, 1, 1);
  } else {
    info = copenblas_no_memory;
  }
  free(work);
  free(integers);
  return info;
}
