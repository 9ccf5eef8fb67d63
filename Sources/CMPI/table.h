// The functions of MPI that are called, and its constants that differ between libraries, in one table.
#pragma once
#ifdef CMPI_LINKED
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>
#else
#include "OpenMPI.h"
#endif

// each(name): a function MPI_name.
#define CMPI_FUNCTIONS(each) \
  each(Init_thread) \
  each(Initialized) \
  each(Finalized) \
  each(Finalize) \
  each(Query_thread) \
  each(Abort) \
  each(Comm_set_errhandler) \
  each(Comm_rank) \
  each(Comm_size) \
  each(Comm_split) \
  each(Comm_split_type) \
  each(Comm_dup) \
  each(Comm_free) \
  each(Isend) \
  each(Irecv) \
  each(Wait) \
  each(Test) \
  each(Alltoall) \
  each(Allgatherv) \
  each(Error_string) \
  each(Get_library_version) \
  each(Get_processor_name)

// each(type, field, constant, symbol, number): a handle MPI_...: in Open MPI the address of what the symbol names, in
// the ABI of MPI 5 the number.
#define CMPI_HANDLES(each) \
  each(MPI_Comm, comm_world, MPI_COMM_WORLD, ompi_mpi_comm_world, 0x101) \
  each(MPI_Comm, comm_self, MPI_COMM_SELF, ompi_mpi_comm_self, 0x102) \
  each(MPI_Request, request_null, MPI_REQUEST_NULL, ompi_request_null, 0x180) \
  each(MPI_Errhandler, errors_return, MPI_ERRORS_RETURN, ompi_mpi_errors_return, 0x143) \
  each(MPI_Info, info_null, MPI_INFO_NULL, ompi_mpi_info_null, 0x130) \
  each(MPI_Datatype, byte, MPI_BYTE, ompi_mpi_byte, 0x247) \
  each(MPI_Datatype, int64, MPI_INT64_T, ompi_mpi_int64_t, 0x258)

// each(field, constant, number): a constant MPI_..., another number in the ABI of MPI 5.
#define CMPI_NUMBERS(each) \
  each(thread_funneled, MPI_THREAD_FUNNELED, 1024) \
  each(comm_type_shared, MPI_COMM_TYPE_SHARED, 221)

typedef struct {
#define CMPI_FIELD(name) __typeof__(&MPI_##name) name;
  CMPI_FUNCTIONS(CMPI_FIELD)
#undef CMPI_FIELD
#define CMPI_FIELD(type, field, constant, symbol, number) type field;
  CMPI_HANDLES(CMPI_FIELD)
#undef CMPI_FIELD
#define CMPI_FIELD(field, constant, number) int field;
  CMPI_NUMBERS(CMPI_FIELD)
#undef CMPI_FIELD
} cmpi_table;

// At least as large as the texts of any library.
enum { CMPI_LONGEST_TEXT = 8192 };

// One rank alone, without a library.
extern const cmpi_table cmpi_alone;

// That of this process.
extern const cmpi_table *cmpi;
