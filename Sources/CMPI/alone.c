// MPI for one rank, where there is no library: what a communicator of one rank asks for, and no messages.
#ifndef CMPI_LINKED
#include "table.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_initialized, is_finalized;

// Only their addresses count.
static char world, self, no_request, errors_return, no_info, byte, int64;

static int init_thread(int *argc, char ***argv, int required, int *provided) {
  (void)argc, (void)argv;
  is_initialized = 1;
  *provided = required;
  return MPI_SUCCESS;
}

static int initialized(int *flag) {
  *flag = is_initialized;
  return MPI_SUCCESS;
}

static int finalized(int *flag) {
  *flag = is_finalized;
  return MPI_SUCCESS;
}

static int finalize(void) {
  is_finalized = 1;
  return MPI_SUCCESS;
}

static int query_thread(int *provided) {
  *provided = MPI_THREAD_FUNNELED;
  return MPI_SUCCESS;
}

static int end(MPI_Comm comm, int code) {
  (void)comm;
  _exit(code);
}

static int set_errhandler(MPI_Comm comm, MPI_Errhandler handler) {
  (void)comm, (void)handler;
  return MPI_SUCCESS;
}

static int rank(MPI_Comm comm, int *rank) {
  (void)comm;
  *rank = 0;
  return MPI_SUCCESS;
}

static int size(MPI_Comm comm, int *size) {
  (void)comm;
  *size = 1;
  return MPI_SUCCESS;
}

static int split(MPI_Comm comm, int color, int key, MPI_Comm *formed) {
  (void)color, (void)key;
  *formed = comm;
  return MPI_SUCCESS;
}

static int split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *formed) {
  (void)type, (void)key, (void)info;
  *formed = comm;
  return MPI_SUCCESS;
}

static int duplicate(MPI_Comm comm, MPI_Comm *duplicate) {
  *duplicate = comm;
  return MPI_SUCCESS;
}

static int release(MPI_Comm *comm) {
  *comm = NULL;
  return MPI_SUCCESS;
}

static int send(
    const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm,
    MPI_Request *request) {
  (void)buffer, (void)count, (void)type, (void)destination, (void)tag, (void)comm, (void)request;
  return MPI_ERR_OTHER;
}

static int receive(
    void *buffer, int count, MPI_Datatype type, int source, int tag, MPI_Comm comm,
    MPI_Request *request) {
  (void)buffer, (void)count, (void)type, (void)source, (void)tag, (void)comm, (void)request;
  return MPI_ERR_OTHER;
}

static int wait_for(MPI_Request *request, MPI_Status *status) {
  (void)request, (void)status;
  return MPI_SUCCESS;
}

static int test(MPI_Request *request, int *flag, MPI_Status *status) {
  (void)request, (void)status;
  *flag = 1;
  return MPI_SUCCESS;
}

static void copy(void *target, const void *source, int count, MPI_Datatype type) {
  if (count > 0) {
    memcpy(target, source, (size_t)count * (type == cmpi_alone.int64 ? sizeof(long long) : 1));
  }
}

static int all_to_all(
    const void *sent, int sent_count, MPI_Datatype sent_type, void *received, int received_count,
    MPI_Datatype received_type, MPI_Comm comm) {
  (void)received_count, (void)received_type, (void)comm;
  copy(received, sent, sent_count, sent_type);
  return MPI_SUCCESS;
}

static int all_gather(
    const void *sent, int sent_count, MPI_Datatype sent_type, void *received, const int *counts,
    const int *offsets, MPI_Datatype received_type, MPI_Comm comm) {
  (void)counts, (void)received_type, (void)comm;
  copy((char *)received + offsets[0], sent, sent_count, sent_type);
  return MPI_SUCCESS;
}

static int error_string(int code, char *text, int *length) {
  *length = snprintf(
      text, MPI_MAX_ERROR_STRING, "status %d of one rank alone, which sends no messages", code);
  return MPI_SUCCESS;
}

static int library_version(char *text, int *length) {
  *length = snprintf(text, MPI_MAX_LIBRARY_VERSION_STRING, "none");
  return MPI_SUCCESS;
}

static int processor_name(char *text, int *length) {
  if (gethostname(text, MPI_MAX_PROCESSOR_NAME)) return MPI_ERR_OTHER;
  text[MPI_MAX_PROCESSOR_NAME - 1] = 0;
  *length = (int)strlen(text);
  return MPI_SUCCESS;
}

const cmpi_table cmpi_alone = {
    .Init_thread = init_thread,
    .Initialized = initialized,
    .Finalized = finalized,
    .Finalize = finalize,
    .Query_thread = query_thread,
    .Abort = end,
    .Comm_set_errhandler = set_errhandler,
    .Comm_rank = rank,
    .Comm_size = size,
    .Comm_split = split,
    .Comm_split_type = split_type,
    .Comm_dup = duplicate,
    .Comm_free = release,
    .Isend = send,
    .Irecv = receive,
    .Wait = wait_for,
    .Test = test,
    .Alltoall = all_to_all,
    .Allgatherv = all_gather,
    .Error_string = error_string,
    .Get_library_version = library_version,
    .Get_processor_name = processor_name,
    .comm_world = (MPI_Comm)&world,
    .comm_self = (MPI_Comm)&self,
    .request_null = (MPI_Request)&no_request,
    .errors_return = (MPI_Errhandler)&errors_return,
    .info_null = (MPI_Info)&no_info,
    .byte = (MPI_Datatype)&byte,
    .int64 = (MPI_Datatype)&int64,
    .thread_funneled = MPI_THREAD_FUNNELED,
    .comm_type_shared = MPI_COMM_TYPE_SHARED,
};
#endif
