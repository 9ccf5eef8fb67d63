#pragma once
// The C++ bindings of Open MPI pull in a C++ compiler's headers.
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>
