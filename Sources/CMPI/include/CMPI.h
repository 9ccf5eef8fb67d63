#pragma once
// The MPI functions that the package calls, each under its own name with a C in front; constants, such
// as datatypes and levels of threads, are part of the name. No allocation. <mpi.h> stays in the
// .c files, so that importers need neither its path nor the ABI of one MPI.
//
// The functions are found at run time, in a library of Open MPI 4 or 5 or, by its name, libmpi_abi.so, one with the ABI of
// MPI 5, such as that of MPICH 5, unless another MPI is linked. Before
// one is loaded this process is one rank alone, and they answer for it; that rank can send no messages.
#include <stdint.h>

// Handles travel as integers: they are pointers in Open MPI and in the ABI of MPI 5, and `int` in
// MPICH.
typedef struct {
  intptr_t raw;
} CMPI_Comm;

typedef struct {
  intptr_t raw;
} CMPI_Request;

enum {
  /// At least as large as every text that the functions below write.
  CMPI_MAX_TEXT = 1024,
};

/// From now on the functions are those of the library `file`; with `onlyIfPresent` only if this process has loaded
/// it already. Not 0 if that fails, and then `reason` says why. Does nothing where an MPI is linked.
int CMPI_load(const char *file, int onlyIfPresent, char *reason);
/// Whether there is no library: this process is one rank alone.
int CMPI_is_alone(void);
/// What CMPI_Get_library_version would say, if that library were loaded.
int CMPI_Get_library_version_of(const char *file, char *text);

int CMPI_Init_thread_funneled(int *isProvided);
int CMPI_Initialized(int *isInitialized);
int CMPI_Finalized(int *isFinalized);
int CMPI_Finalize(void);
/// Whether the level of threads is MPI_THREAD_FUNNELED or above.
int CMPI_Query_thread_funneled(int *isProvided);
int CMPI_Abort(CMPI_Comm comm, int code);

CMPI_Comm CMPI_COMM_WORLD_(void);
CMPI_Comm CMPI_COMM_SELF_(void);
CMPI_Request CMPI_REQUEST_NULL_(void);
int CMPI_Comm_set_errors_return(CMPI_Comm comm);
int CMPI_Comm_rank(CMPI_Comm comm, int *rank);
int CMPI_Comm_size(CMPI_Comm comm, int *size);
int CMPI_Comm_split(CMPI_Comm comm, int color, int key, CMPI_Comm *formed);
int CMPI_Comm_dup(CMPI_Comm comm, CMPI_Comm *duplicate);
int CMPI_Comm_free(CMPI_Comm *comm);

/// The number of ranks that share memory with this one. Collective.
int CMPI_Comm_shared_size(CMPI_Comm comm, int *size);

int CMPI_Isend_bytes(
    const void *bytes, int count, int destination, int tag, CMPI_Comm comm, CMPI_Request *request);
int CMPI_Irecv_bytes(
    void *bytes, int count, int source, int tag, CMPI_Comm comm, CMPI_Request *request);
int CMPI_Wait(CMPI_Request *request);
// Lets messages move on, and frees the request if its own has arrived.
int CMPI_Test(CMPI_Request *request);

int CMPI_Alltoall_int64(const int64_t *sent, int64_t *received, CMPI_Comm comm);
int CMPI_Allgatherv_bytes(
    const void *sent, int sentCount, void *received, const int *counts, const int *offsets,
    CMPI_Comm comm);

/// Each writes a terminated text of at most CMPI_MAX_TEXT bytes; longer ones are cut.
int CMPI_Error_string(int code, char *text);
int CMPI_Get_library_version(char *text);
int CMPI_Get_processor_name(char *text);
