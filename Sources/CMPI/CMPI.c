#include "CMPI.h"

#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>
#include <string.h>

_Static_assert(sizeof(MPI_Comm) <= sizeof(CMPI_Comm), "a communicator travels as an integer");
_Static_assert(sizeof(MPI_Request) <= sizeof(CMPI_Request), "and so does a request");
_Static_assert(MPI_MAX_ERROR_STRING <= CMPI_MAX_TEXT, "texts of errors are not cut");
_Static_assert(MPI_MAX_PROCESSOR_NAME <= CMPI_MAX_TEXT, "names of hosts are not cut");

static inline MPI_Comm unwrap(CMPI_Comm comm) { return (MPI_Comm)comm.raw; }

static inline CMPI_Comm wrap(MPI_Comm comm) { return (CMPI_Comm){(intptr_t)comm}; }

static void copy_text(char *text, const char *source) {
  strncpy(text, source, CMPI_MAX_TEXT - 1);
  text[CMPI_MAX_TEXT - 1] = 0;
}

int CMPI_Init_thread_funneled(int *isProvided) {
  int provided = MPI_THREAD_SINGLE;
  int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
  *isProvided = provided >= MPI_THREAD_FUNNELED;
  return code;
}

int CMPI_Finalized(int *isFinalized) { return MPI_Finalized(isFinalized); }

int CMPI_Initialized(int *isInitialized) { return MPI_Initialized(isInitialized); }

int CMPI_Query_thread_funneled(int *isProvided) {
  int provided = MPI_THREAD_SINGLE;
  int code = MPI_Query_thread(&provided);
  *isProvided = provided >= MPI_THREAD_FUNNELED;
  return code;
}

int CMPI_Finalize(void) { return MPI_Finalize(); }

int CMPI_Abort(CMPI_Comm comm, int code) { return MPI_Abort(unwrap(comm), code); }

CMPI_Comm CMPI_COMM_WORLD_(void) { return wrap(MPI_COMM_WORLD); }

CMPI_Comm CMPI_COMM_SELF_(void) { return wrap(MPI_COMM_SELF); }

CMPI_Request CMPI_REQUEST_NULL_(void) { return (CMPI_Request){(intptr_t)MPI_REQUEST_NULL}; }

int CMPI_Comm_set_errors_return(CMPI_Comm comm) {
  return MPI_Comm_set_errhandler(unwrap(comm), MPI_ERRORS_RETURN);
}

int CMPI_Comm_rank(CMPI_Comm comm, int *rank) { return MPI_Comm_rank(unwrap(comm), rank); }

int CMPI_Comm_size(CMPI_Comm comm, int *size) { return MPI_Comm_size(unwrap(comm), size); }

int CMPI_Comm_split(CMPI_Comm comm, int color, int key, CMPI_Comm *formed) {
  MPI_Comm group = MPI_COMM_NULL;
  int code = MPI_Comm_split(unwrap(comm), color, key, &group);
  *formed = wrap(group);
  return code;
}

int CMPI_Comm_dup(CMPI_Comm comm, CMPI_Comm *duplicate) {
  MPI_Comm made = MPI_COMM_NULL;
  int code = MPI_Comm_dup(unwrap(comm), &made);
  *duplicate = wrap(made);
  return code;
}

int CMPI_Comm_free(CMPI_Comm *comm) {
  MPI_Comm group = unwrap(*comm);
  int code = MPI_Comm_free(&group);
  *comm = wrap(group);
  return code;
}

int CMPI_Comm_shared_size(CMPI_Comm comm, int *size) {
  MPI_Comm shared;
  int code =
      MPI_Comm_split_type(unwrap(comm), MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &shared);
  if (code != MPI_SUCCESS) return code;
  code = MPI_Comm_size(shared, size);
  int freed = MPI_Comm_free(&shared);
  return code != MPI_SUCCESS ? code : freed;
}

int CMPI_Isend_bytes(
    const void *bytes, int count, int destination, int tag, CMPI_Comm comm,
    CMPI_Request *request) {
  MPI_Request started = MPI_REQUEST_NULL;
  int code = MPI_Isend(bytes, count, MPI_BYTE, destination, tag, unwrap(comm), &started);
  request->raw = (intptr_t)started;
  return code;
}

int CMPI_Irecv_bytes(
    void *bytes, int count, int source, int tag, CMPI_Comm comm, CMPI_Request *request) {
  MPI_Request started = MPI_REQUEST_NULL;
  int code = MPI_Irecv(bytes, count, MPI_BYTE, source, tag, unwrap(comm), &started);
  request->raw = (intptr_t)started;
  return code;
}

int CMPI_Wait(CMPI_Request *request) {
  MPI_Request waited = (MPI_Request)request->raw;
  int code = MPI_Wait(&waited, MPI_STATUS_IGNORE);
  request->raw = (intptr_t)waited;
  return code;
}

int CMPI_Test(CMPI_Request *request) {
  MPI_Request tested = (MPI_Request)request->raw;
  int isDone = 0;
  int code = MPI_Test(&tested, &isDone, MPI_STATUS_IGNORE);
  request->raw = (intptr_t)tested;
  return code;
}

int CMPI_Alltoall_int64(const int64_t *sent, int64_t *received, CMPI_Comm comm) {
  return MPI_Alltoall(sent, 1, MPI_INT64_T, received, 1, MPI_INT64_T, unwrap(comm));
}

int CMPI_Allgatherv_bytes(
    const void *sent, int sentCount, void *received, const int *counts, const int *offsets,
    CMPI_Comm comm) {
  return MPI_Allgatherv(
      sent, sentCount, MPI_BYTE, received, counts, offsets, MPI_BYTE, unwrap(comm));
}

int CMPI_Error_string(int code, char *text) {
  char full[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  int status = MPI_Error_string(code, full, &length);
  copy_text(text, full);
  return status;
}

int CMPI_Get_library_version(char *text) {
  char full[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  int status = MPI_Get_library_version(full, &length);
  copy_text(text, full);
  return status;
}

int CMPI_Get_processor_name(char *text) {
  char full[MPI_MAX_PROCESSOR_NAME] = "";
  int length = 0;
  int status = MPI_Get_processor_name(full, &length);
  copy_text(text, full);
  return status;
}
