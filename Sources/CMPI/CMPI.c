#include "CMPI.h"

#include "table.h"

#include <string.h>

_Static_assert(sizeof(MPI_Comm) <= sizeof(CMPI_Comm), "a communicator travels as an integer");
_Static_assert(sizeof(MPI_Request) <= sizeof(CMPI_Request), "and so does a request");
_Static_assert(MPI_MAX_ERROR_STRING <= CMPI_MAX_TEXT, "texts of errors are not cut");
_Static_assert(MPI_MAX_PROCESSOR_NAME <= CMPI_MAX_TEXT, "names of hosts are not cut");
_Static_assert(MPI_MAX_LIBRARY_VERSION_STRING <= CMPI_LONGEST_TEXT, "there is room for all texts");

static inline MPI_Comm unwrap(CMPI_Comm comm) { return (MPI_Comm)comm.raw; }

static inline CMPI_Comm wrap(MPI_Comm comm) { return (CMPI_Comm){(intptr_t)comm}; }

static void copy_text(char *text, const char *source) {
  strncpy(text, source, CMPI_MAX_TEXT - 1);
  text[CMPI_MAX_TEXT - 1] = 0;
}

int CMPI_Init_thread_funneled(int *isProvided) {
  int provided = MPI_THREAD_SINGLE;
  int code = cmpi->Init_thread(NULL, NULL, cmpi->thread_funneled, &provided);
  *isProvided = provided >= cmpi->thread_funneled;
  return code;
}

int CMPI_Finalized(int *isFinalized) { return cmpi->Finalized(isFinalized); }

int CMPI_Initialized(int *isInitialized) { return cmpi->Initialized(isInitialized); }

int CMPI_Query_thread_funneled(int *isProvided) {
  int provided = MPI_THREAD_SINGLE;
  int code = cmpi->Query_thread(&provided);
  *isProvided = provided >= cmpi->thread_funneled;
  return code;
}

int CMPI_Finalize(void) { return cmpi->Finalize(); }

int CMPI_Abort(CMPI_Comm comm, int code) { return cmpi->Abort(unwrap(comm), code); }

CMPI_Comm CMPI_COMM_WORLD_(void) { return wrap(cmpi->comm_world); }

CMPI_Comm CMPI_COMM_SELF_(void) { return wrap(cmpi->comm_self); }

CMPI_Request CMPI_REQUEST_NULL_(void) { return (CMPI_Request){(intptr_t)cmpi->request_null}; }

int CMPI_Comm_set_errors_return(CMPI_Comm comm) {
  return cmpi->Comm_set_errhandler(unwrap(comm), cmpi->errors_return);
}

int CMPI_Comm_rank(CMPI_Comm comm, int *rank) { return cmpi->Comm_rank(unwrap(comm), rank); }

int CMPI_Comm_size(CMPI_Comm comm, int *size) { return cmpi->Comm_size(unwrap(comm), size); }

int CMPI_Comm_split(CMPI_Comm comm, int color, int key, CMPI_Comm *formed) {
  MPI_Comm group = unwrap(comm);
  int code = cmpi->Comm_split(unwrap(comm), color, key, &group);
  *formed = wrap(group);
  return code;
}

int CMPI_Comm_dup(CMPI_Comm comm, CMPI_Comm *duplicate) {
  MPI_Comm made = unwrap(comm);
  int code = cmpi->Comm_dup(unwrap(comm), &made);
  *duplicate = wrap(made);
  return code;
}

int CMPI_Comm_free(CMPI_Comm *comm) {
  MPI_Comm group = unwrap(*comm);
  int code = cmpi->Comm_free(&group);
  *comm = wrap(group);
  return code;
}

int CMPI_Comm_shared_size(CMPI_Comm comm, int *size) {
  MPI_Comm shared;
  int code =
      cmpi->Comm_split_type(unwrap(comm), cmpi->comm_type_shared, 0, cmpi->info_null, &shared);
  if (code != MPI_SUCCESS) return code;
  code = cmpi->Comm_size(shared, size);
  int freed = cmpi->Comm_free(&shared);
  return code != MPI_SUCCESS ? code : freed;
}

int CMPI_Isend_bytes(
    const void *bytes, int count, int destination, int tag, CMPI_Comm comm,
    CMPI_Request *request) {
  MPI_Request started = cmpi->request_null;
  int code = cmpi->Isend(bytes, count, cmpi->byte, destination, tag, unwrap(comm), &started);
  request->raw = (intptr_t)started;
  return code;
}

int CMPI_Irecv_bytes(
    void *bytes, int count, int source, int tag, CMPI_Comm comm, CMPI_Request *request) {
  MPI_Request started = cmpi->request_null;
  int code = cmpi->Irecv(bytes, count, cmpi->byte, source, tag, unwrap(comm), &started);
  request->raw = (intptr_t)started;
  return code;
}

int CMPI_Wait(CMPI_Request *request) {
  MPI_Request waited = (MPI_Request)request->raw;
  int code = cmpi->Wait(&waited, MPI_STATUS_IGNORE);
  request->raw = (intptr_t)waited;
  return code;
}

int CMPI_Test(CMPI_Request *request) {
  MPI_Request tested = (MPI_Request)request->raw;
  int isDone = 0;
  int code = cmpi->Test(&tested, &isDone, MPI_STATUS_IGNORE);
  request->raw = (intptr_t)tested;
  return code;
}

int CMPI_Alltoall_int64(const int64_t *sent, int64_t *received, CMPI_Comm comm) {
  return cmpi->Alltoall(sent, 1, cmpi->int64, received, 1, cmpi->int64, unwrap(comm));
}

int CMPI_Allgatherv_bytes(
    const void *sent, int sentCount, void *received, const int *counts, const int *offsets,
    CMPI_Comm comm) {
  return cmpi->Allgatherv(
      sent, sentCount, cmpi->byte, received, counts, offsets, cmpi->byte, unwrap(comm));
}

int CMPI_Error_string(int code, char *text) {
  char full[CMPI_LONGEST_TEXT] = "";
  int length = 0;
  int status = cmpi->Error_string(code, full, &length);
  copy_text(text, full);
  return status;
}

int CMPI_Get_library_version(char *text) {
  char full[CMPI_LONGEST_TEXT] = "";
  int length = 0;
  int status = cmpi->Get_library_version(full, &length);
  copy_text(text, full);
  return status;
}

int CMPI_Get_processor_name(char *text) {
  char full[CMPI_LONGEST_TEXT] = "";
  int length = 0;
  int status = cmpi->Get_processor_name(full, &length);
  copy_text(text, full);
  return status;
}
