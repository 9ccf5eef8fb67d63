// What is used of <mpi.h> of Open MPI 4 and 5, which have one binary interface: a program that finds the library
// at run time is built without it. Tests/MPIHeader compares this with the header itself.
#pragma once

typedef struct ompi_communicator_t *MPI_Comm;
typedef struct ompi_datatype_t *MPI_Datatype;
typedef struct ompi_errhandler_t *MPI_Errhandler;
typedef struct ompi_info_t *MPI_Info;
typedef struct ompi_request_t *MPI_Request;
typedef struct ompi_status_public_t MPI_Status;

#define MPI_SUCCESS 0
#define MPI_ERR_OTHER 16
#define MPI_THREAD_SINGLE 0
#define MPI_THREAD_FUNNELED 1
#define MPI_COMM_TYPE_SHARED 0
#define MPI_STATUS_IGNORE ((MPI_Status *)0)
#define MPI_MAX_ERROR_STRING 256
#define MPI_MAX_LIBRARY_VERSION_STRING 256
#define MPI_MAX_PROCESSOR_NAME 256

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided);
int MPI_Initialized(int *flag);
int MPI_Finalized(int *flag);
int MPI_Finalize(void);
int MPI_Query_thread(int *provided);
int MPI_Abort(MPI_Comm comm, int code);
int MPI_Comm_set_errhandler(MPI_Comm comm, MPI_Errhandler handler);
int MPI_Comm_rank(MPI_Comm comm, int *rank);
int MPI_Comm_size(MPI_Comm comm, int *size);
int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm *formed);
int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *formed);
int MPI_Comm_dup(MPI_Comm comm, MPI_Comm *duplicate);
int MPI_Comm_free(MPI_Comm *comm);
int MPI_Isend(
    const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm,
    MPI_Request *request);
int MPI_Irecv(
    void *buffer, int count, MPI_Datatype type, int source, int tag, MPI_Comm comm,
    MPI_Request *request);
int MPI_Wait(MPI_Request *request, MPI_Status *status);
int MPI_Test(MPI_Request *request, int *flag, MPI_Status *status);
int MPI_Alltoall(
    const void *sent, int sent_count, MPI_Datatype sent_type, void *received, int received_count,
    MPI_Datatype received_type, MPI_Comm comm);
int MPI_Allgatherv(
    const void *sent, int sent_count, MPI_Datatype sent_type, void *received, const int *counts,
    const int *offsets, MPI_Datatype received_type, MPI_Comm comm);
int MPI_Error_string(int code, char *text, int *length);
int MPI_Get_library_version(char *text, int *length);
int MPI_Get_processor_name(char *text, int *length);
