// Compiles if Sources/CMPI/OpenMPI.h says what <mpi.h> of Open MPI says: types and functions that are declared
// twice must be the same.
#include "../../Sources/CMPI/OpenMPI.h"

enum {
  success = MPI_SUCCESS,
  err_other = MPI_ERR_OTHER,
  thread_single = MPI_THREAD_SINGLE,
  thread_funneled = MPI_THREAD_FUNNELED,
  comm_type_shared = MPI_COMM_TYPE_SHARED,
  max_error_string = MPI_MAX_ERROR_STRING,
  max_library_version_string = MPI_MAX_LIBRARY_VERSION_STRING,
  max_processor_name = MPI_MAX_PROCESSOR_NAME,
};
_Static_assert((long)MPI_STATUS_IGNORE == 0, "MPI_STATUS_IGNORE");

#undef MPI_SUCCESS
#undef MPI_ERR_OTHER
#undef MPI_THREAD_SINGLE
#undef MPI_THREAD_FUNNELED
#undef MPI_COMM_TYPE_SHARED
#undef MPI_STATUS_IGNORE
#undef MPI_MAX_ERROR_STRING
#undef MPI_MAX_LIBRARY_VERSION_STRING
#undef MPI_MAX_PROCESSOR_NAME

#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

#define SAME(ours, theirs) _Static_assert((int)ours == (int)theirs, #theirs)
SAME(success, MPI_SUCCESS);
SAME(err_other, MPI_ERR_OTHER);
SAME(thread_single, MPI_THREAD_SINGLE);
SAME(thread_funneled, MPI_THREAD_FUNNELED);
SAME(comm_type_shared, MPI_COMM_TYPE_SHARED);
SAME(max_error_string, MPI_MAX_ERROR_STRING);
SAME(max_library_version_string, MPI_MAX_LIBRARY_VERSION_STRING);
SAME(max_processor_name, MPI_MAX_PROCESSOR_NAME);
_Static_assert((long)MPI_STATUS_IGNORE == 0, "MPI_STATUS_IGNORE");
