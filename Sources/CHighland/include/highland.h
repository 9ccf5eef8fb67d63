// Highland as a library for C: clusters embeddings that are in memory, finds their nearest neighbours, trains models
// and compares labels, in one process, or clusters over the ranks of MPI.
//
//   Link with -lhighland. Examples/C is a program.
//
// Rows are embeddings, columns their coordinates; only the directions of rows matter (cosine similarity). Results are
// the same, bit for bit, for any number of threads, and the same as those of the command `highland`.
//
// Every function that may fail returns a highland_status. Where that is not HIGHLAND_OK, `*message` is a line that says
// what was wrong, to be freed with highland_free; `message` may be NULL. Outputs are then not touched.
//
// Functions may be called from several threads at the same time. Arrays that are handed in are only read, must not
// change during the call, and are not kept after it.

#ifndef HIGHLAND_H
#define HIGHLAND_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HIGHLAND_VERSION "0.1.0"

// The version of the library that was loaded, as HIGHLAND_VERSION was when it was built.
const char *highland_version(void);

// The command `highland` with the arguments of main, alone or as one of the ranks of a job of MPI. Ends the process
// and may change what it does at signals: for a main that does nothing else.
void highland_main(int argc, char *const *argv);

typedef enum highland_status {
  HIGHLAND_OK = 0,
  // An option, a shape or a pointer is not as described here.
  HIGHLAND_INVALID_ARGUMENT = 1,
  // The rows or labels cannot be used: rows of zeros, NaN or infinite values, labels of a single identity.
  HIGHLAND_INVALID_DATA = 2,
  // The model cannot be read, or does not fit the features or the options.
  HIGHLAND_INVALID_MODEL = 3,
  // The work would need more memory than the machine has free. Nothing was begun.
  HIGHLAND_OUT_OF_MEMORY = 4,
  // The progress function asked to stop.
  HIGHLAND_CANCELLED = 5,
  // Anything else; the message tells.
  HIGHLAND_FAILED = 6
} highland_status;

typedef enum highland_dtype {
  HIGHLAND_FLOAT32 = 0,
  HIGHLAND_FLOAT16 = 1,
  HIGHLAND_FLOAT64 = 2,
  HIGHLAND_INT8 = 3,
  HIGHLAND_UINT8 = 4,
  HIGHLAND_BOOL = 5,  // one byte each
  HIGHLAND_INT16 = 6,
  HIGHLAND_UINT16 = 7,
  HIGHLAND_INT32 = 8,
  HIGHLAND_UINT32 = 9,
  HIGHLAND_INT64 = 10,
  HIGHLAND_UINT64 = 11
} highland_dtype;

// A matrix in the caller's memory. Read where it is, in any order: C and Fortran order, slices and reversed views
// are a matter of strides.
typedef struct highland_matrix {
  const void *data;       // element [0, 0]
  int64_t rows;           // 0 or more
  int64_t columns;        // 1 ... 2^31 - 1
  int64_t row_stride;     // bytes from a row to the next; 0 stands for rows without gaps
  int64_t column_stride;  // bytes from a column to the next; 0 stands for the size of an element
  int32_t dtype;          // highland_dtype
} highland_matrix;

// Called now and then, on the thread that called the library, at most some ten times a second.
//
//   phase     what is being done: "read", "neighbors", "flow", "network", ...
//   level     of the hierarchy; 0 where there is none
//   fraction  of the phase that is done, 0 ... 1
//
// Work ends with HIGHLAND_CANCELLED soon after it returns anything but 0.
typedef int (*highland_progress)(void *context, const char *phase, int32_t level, double fraction);

void highland_free(void *memory);

// Clustering.

// How to cluster. All zeros is what `highland cluster` does without options.
typedef struct highland_options {
  // "flow", "network" or "auto"; NULL chooses as the command does: network if an option of networks, groups or
  // numbers of clusters are given, flow with k, else auto, and of more than 200,000 rows network.
  const char *method;
  // Places in a row's neighbour list, the row itself included; 0: chosen on the data, or by the model.
  int64_t k;

  // Of networks. The model is a .safetensors file or its contents; NULL: the built-in one.
  const char *model_path;
  const void *model_data;
  size_t model_size;
  // "finer", "as-trained" or "coarser"; NULL: as trained.
  const char *granularity;
  // Merge only along linkages more probable than this, 0 ... 1; NULL: as trained, or chosen on the data. Level 0 then
  // merges so, too, where the model would merge it by modules.
  const double *tau;
  // The same for levels after the first; NULL: as tau.
  const double *tau_later;
  // Not 0: choose tau on the data. The built-in model does unless tau is given.
  int32_t tau_by_silhouette;
  int32_t max_levels;  // 0: 10
  // Write every level to this directory, as `highland cluster --hierarchy` does, for highland_report. It is new or
  // empty, and there once all is complete. Not with groups or numbers of clusters, as groups have levels of their own.
  // NULL: nowhere.
  const char *hierarchy;

  // A number for every row, equal for rows of the same group: clusters never cross groups. NULL: one group of all.
  const int64_t *groups;
  // How many clusters each group has at least and at most; 0, 0: any number. A group has no more clusters than
  // different rows. Every merge that is missing in the end is a level of its own.
  int64_t min_clusters;
  int64_t max_clusters;

  // How neighbours are searched: "exact", "approximate" or "auto"; NULL: auto.
  const char *search;
  // The share of the true neighbours that an approximate search is to find; 0: 0.99.
  double recall;
  // What happens to rows of zeros, NaN or infinite values: "error" or "singleton"; NULL: error.
  const char *invalid_rows;
  // 0: all processors that this process may use. Results do not depend on it.
  int32_t threads;
  // Not 0: keep the labels after every level.
  int32_t keep_levels;
  // Not 0: compute how strongly every row belongs to its cluster.
  int32_t strengths;

  highland_progress progress;  // may be NULL
  void *context;               // handed to progress
} highland_options;

// The result of a clustering. What its functions return lives until highland_clustering_free.
typedef struct highland_clustering highland_clustering;

// Clusters the rows of a matrix.
//
// `options` may be NULL. On success `*result` is a new clustering.
highland_status highland_cluster(
    const highland_matrix *features, const highland_options *options, highland_clustering **result,
    char **message);

// Clusters rows that are spread over the processes of an MPI job, each of which hands in its own: to the labels that
// one process would find that has the rows of all, those of rank 0 first, then those of rank 1, and so on.
//
// Every rank of the communicator calls it, with the same options (progress, context and threads are its own), and with
// rows of as many columns of the same dtype; a rank may have none. Row numbers in messages are among the rows of all.
// `groups` and `strengths` must be NULL and 0. What fails on one rank fails on all, with the same status and message;
// but where a progress function asks to stop, or MPI fails, the job is ended by MPI_Abort, as the other ranks wait.
//
//   comm  (intptr_t)comm of an MPI_Comm of Open MPI 4 or 5, or of the ABI of MPI 5, of one group of ranks. The caller
//         has initialised MPI, with MPI_THREAD_FUNNELED or more, and calls this on the thread that did.
//
// On success `*result` on each rank is of the rows that it handed in: its labels, levels and row count. Cluster count
// and report are of all.
highland_status highland_cluster_over(
    intptr_t comm, const highland_matrix *features, const highland_options *options,
    highland_clustering **result, char **message);

void highland_clustering_free(highland_clustering *clustering);

// How many rows were clustered.
int64_t highland_clustering_row_count(const highland_clustering *clustering);

int64_t highland_clustering_cluster_count(const highland_clustering *clustering);

// The cluster of every row: 0, 1, 2, ... in the order in which clusters first appear.
const int64_t *highland_clustering_labels(const highland_clustering *clustering);

// How many levels there are, if keep_levels was not 0, else 0. Each has fewer clusters than the one before. One where
// groups or numbers of clusters were given, as groups have levels of their own.
int32_t highland_clustering_level_count(const highland_clustering *clustering);

// The labels after a level, finest first; those of the last are highland_clustering_labels. NULL if there is no
// such level.
const int64_t *highland_clustering_level_labels(
    const highland_clustering *clustering, int32_t level);

// How strongly every row belongs to its cluster, 0 ... 1, if strengths was not 0, else NULL: its similarity to the
// mean direction of the cluster, relative to that of the member nearest to it. 1 for the only member of a cluster.
const float *highland_clustering_strengths(const highland_clustering *clustering);

// What was done, as JSON: parameters, choices, counts, seconds. The keys are those of `highland cluster --report`.
const char *highland_clustering_report(const highland_clustering *clustering);

// The model that took part, as the `*size` bytes of a .safetensors file: what model_path held when it was read, for
// highland_fit. NULL, and 0, if no network took part.
const void *highland_clustering_model(const highland_clustering *clustering, size_t *size);

// Reports.

// What a page shows beside the levels. All zeros is nothing.
typedef struct highland_report_options {
  // The path of a text with the name of every point on a line of its own; NULL: no names.
  const char *names;
  // The path of a text with that of an image of every point on a line of its own, or of a .npy of pixels; NULL: no
  // images.
  const char *images;
  // [points], the true labels; NULL: unknown.
  const int64_t *truth;
  // How many true labels there are: one for each point.
  int64_t truth_count;
  int32_t top;  // the longest list of clusters and merges, 1 ... 1000; 0: 10
} highland_report_options;

// Makes a page of the levels that a clustering wrote (the option `hierarchy`), as `highland report` does.
//
//   hierarchy  the directory
//
// `options` may be NULL. On success `*html` is the page as UTF-8, to be freed with highland_free.
highland_status highland_report(
    const char *hierarchy, const highland_report_options *options, char **html, char **message);

// New rows.

// A clustering to which new rows can be assigned. What it holds lives until highland_fitted_free.
typedef struct highland_fitted highland_fitted;

// Prepares a clustering for new rows: copies its rows and labels, and searches neighbours among the rows.
//
//   features  the rows that were clustered
//   labels    [rows], those of highland_clustering_labels
//   report    that of highland_clustering_report, which says how they were clustered
//
// Of `options` (which may be NULL) the model, which must be the one that clustered, groups, which must be those within which
// they were clustered, if there were some, search, recall, threads and progress count. On success `*result` is a new fitted clustering.
highland_status highland_fit(
    const highland_matrix *features, const int64_t *labels, const char *report,
    const highland_options *options, highland_fitted **result, char **message);

void highland_fitted_free(highland_fitted *fitted);

// Finds the clusters of new rows, as `highland assign` does: they join clusters of the fit, which does not change, or
// found new ones, whose numbers go on after those of the fit. A row with the direction of one of the fit gets its label.
// With groups it joins a cluster of its own group, or founds one there: equal numbers are the same group for both functions.
// Of `options` (which may be NULL) groups, if the fit has some, search, recall, invalid_rows, threads and progress count.
//
//   features  as many columns as the fit has
//   labels    [rows], to be filled
highland_status highland_assign(
    const highland_fitted *fitted, const highland_matrix *features, const highland_options *options,
    int64_t *labels, char **message);

// Neighbours.

// Finds the nearest neighbours of every row by cosine similarity. Of `options` (which may be NULL) search, recall,
// invalid_rows, threads and progress count.
//
//   k             places in a list, 2 or more. The first is the row itself, with similarity 1; then others,
//                 nearest first, ties by index.
//   indices       [rows * k], to be filled; -1 where there are fewer rows
//   similarities  [rows * k], to be filled; 0 where there are fewer rows
highland_status highland_knn(
    const highland_matrix *features, int64_t k, const highland_options *options, int64_t *indices,
    float *similarities, char **message);

// Evaluation.

// Compares labels with the truth: pairwise and BCubed precision, recall and F, NMI, ARI, sizes of clusters.
//
// On success `*json` is what `highland evaluate --json` prints, to be freed with highland_free.
highland_status highland_evaluate(
    const int64_t *truth, const int64_t *predicted, int64_t count, char **json, char **message);

// Training.

// How to train. All zeros is what `highland train` does without options.
typedef struct highland_training_options {
  uint64_t seed;
  int32_t epochs;  // 0: 12
  int32_t graphs;  // how many selections of the rows to learn from; 0: 28
  int32_t width;   // channels of the hidden layers; 0: 48
  int32_t k;       // places of lists that make edges, the point itself included; 0: chosen on held-out identities
  int32_t threads;
  highland_progress progress;
  void *context;
  int32_t no_transform;  // 1: no transform of rows is tried, so that the model is for embeddings of any kind and width
} highland_training_options;

// Trains a model of structure on rows whose identities are known.
//
// On success `*model` are the `*size` bytes of a .safetensors file, to be freed with highland_free: for model_data,
// or for `highland cluster --model`.
highland_status highland_train(
    const highland_matrix *features, const int64_t *labels,
    const highland_training_options *options, void **model, size_t *size, char **message);

#ifdef __cplusplus
}
#endif

#endif
