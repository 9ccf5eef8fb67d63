#include "CMPI.h"

#include "table.h"

#ifdef CMPI_LINKED
static const cmpi_table linked = {
#define FIELD(name) .name = MPI_##name,
    CMPI_FUNCTIONS(FIELD)
#undef FIELD
#define FIELD(type, field, constant, symbol, number) .field = constant,
        CMPI_HANDLES(FIELD)
#undef FIELD
#define FIELD(field, constant, number) .field = constant,
            CMPI_NUMBERS(FIELD)
#undef FIELD
};

const cmpi_table *cmpi = &linked;

int CMPI_load(const char *file, int onlyIfPresent, char *reason) {
  (void)file, (void)onlyIfPresent, (void)reason;
  return 0;
}

int CMPI_is_alone(void) { return 0; }

int CMPI_Get_library_version_of(const char *file, char *text) {
  (void)file;
  return CMPI_Get_library_version(text);
}

#else
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

const cmpi_table *cmpi = &cmpi_alone;

static cmpi_table loaded;

// Whether the address of a symbol was found; otherwise says in `reason` which one is missing.
static int find(void *library, const char *symbol, void *address, char *reason) {
  void *found = dlsym(library, symbol);
  // dlerror names library and symbol.
  if (!found) snprintf(reason, CMPI_MAX_TEXT, "%s", dlerror());
  *(void **)address = found;
  return found != NULL;
}

// Whether a library has the ABI of MPI 5, whose libraries have this name.
static int has_abi(const char *file) {
  const char *slash = strrchr(file, '/');
  const char name[] = "libmpi_abi.so";
  return strncmp(slash ? slash + 1 : file, name, sizeof name - 1) == 0;
}

int CMPI_load(const char *file, int onlyIfPresent, char *reason) {
  // Open MPI's own plug-ins look for its symbols in the process.
  void *library = dlopen(file, RTLD_NOW | RTLD_GLOBAL | (onlyIfPresent ? RTLD_NOLOAD : 0));
  if (!library) {
    const char *error = dlerror();
    snprintf(reason, CMPI_MAX_TEXT, "%s", error ? error : "not loaded");
    return 1;
  }
  cmpi_table found;
  int isWhole = 1;
#define FIND(name) isWhole = isWhole && find(library, "MPI_" #name, &found.name, reason);
  CMPI_FUNCTIONS(FIND)
#undef FIND
  if (has_abi(file)) {
#define SET(type, field, constant, symbol, number) found.field = (type)(intptr_t)number;
    CMPI_HANDLES(SET)
#undef SET
#define SET(field, constant, number) found.field = number;
    CMPI_NUMBERS(SET)
#undef SET
  } else {
#define FIND(type, field, constant, symbol, number) \
  isWhole = isWhole && find(library, #symbol, &found.field, reason);
    CMPI_HANDLES(FIND)
#undef FIND
#define SET(field, constant, number) found.field = constant;
    CMPI_NUMBERS(SET)
#undef SET
  }
  if (!isWhole) {
    dlclose(library);
    return 1;
  }
  loaded = found;
  cmpi = &loaded;
  return 0;
}

int CMPI_is_alone(void) { return cmpi == &cmpi_alone; }

int CMPI_Get_library_version_of(const char *file, char *text) {
  // Stays loaded, as MPI is not made to be unloaded.
  void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!library) return MPI_ERR_OTHER;
  __typeof__(&MPI_Get_library_version) version;
  *(void **)&version = dlsym(library, "MPI_Get_library_version");
  char full[CMPI_LONGEST_TEXT] = "";
  int length = 0;
  int status = version ? version(full, &length) : MPI_ERR_OTHER;
  snprintf(text, CMPI_MAX_TEXT, "%s", full);
  return status;
}
#endif
