// Clusters points round some centres, prints what came out, and stops a second run.
//
//   cc cluster.c -lhighland -lm && ./a.out

#include <highland.h>
#include <stdio.h>
#include <stdlib.h>

enum { centres = 12, members = 16, rows = centres * members, columns = 24 };

// The same numbers everywhere, in -1 ... 1.
static float next(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (float)(*state >> 40) / (float)(1 << 23) - 1;
}

static int stop(void *context, const char *phase, int32_t level, double fraction) {
  (void)context, (void)phase, (void)level, (void)fraction;
  return 1;
}

int main(void) {
  static float middles[centres][columns], points[rows][columns];
  static int64_t truth[rows];
  uint64_t state = 1;
  for (int c = 0; c < centres; c++)
    for (int j = 0; j < columns; j++) middles[c][j] = next(&state);
  for (int i = 0; i < rows; i++) {
    truth[i] = i % centres;
    for (int j = 0; j < columns; j++) points[i][j] = middles[i % centres][j] + 0.2f * next(&state);
  }

  highland_matrix features = {
      .data = points, .rows = rows, .columns = columns, .dtype = HIGHLAND_FLOAT32};
  highland_options options = {.strengths = 1, .keep_levels = 1};
  highland_clustering *clustering = NULL;
  char *message = NULL, *measures = NULL;
  if (highland_cluster(&features, &options, &clustering, &message) != HIGHLAND_OK) {
    fprintf(stderr, "%s\n", message);
    return 1;
  }
  const int64_t *labels = highland_clustering_labels(clustering);
  printf("%d points in %d clusters\n", (int)highland_clustering_row_count(clustering),
         (int)highland_clustering_cluster_count(clustering));
  if (highland_evaluate(truth, labels, rows, &measures, &message) != HIGHLAND_OK) return 1;
  highland_free(measures);

  static int64_t indices[rows * 5];
  static float similarities[rows * 5];
  if (highland_knn(&features, 5, NULL, indices, similarities, &message) != HIGHLAND_OK) return 1;
  int same = 0;
  for (int i = 0; i < rows; i++) same += truth[indices[5 * i + 1]] == truth[i];
  printf("%d points have a nearest neighbour of their own group\n", same);
  highland_clustering_free(clustering);

  // Two groups, and three clusters in each.
  static int64_t groups[rows];
  for (int i = 0; i < rows; i++) groups[i] = i % centres < centres / 2;
  highland_options by_group = {.groups = groups, .min_clusters = 3, .max_clusters = 3};
  if (highland_cluster(&features, &by_group, &clustering, &message) != HIGHLAND_OK) return 1;
  printf("%d clusters within two groups\n", (int)highland_clustering_cluster_count(clustering));
  highland_clustering_free(clustering);

  options.progress = stop;
  highland_status status = highland_cluster(&features, &options, &clustering, &message);
  printf("stopped: %d, %s\n", status == HIGHLAND_CANCELLED, message);
  highland_free(message);

  options = (highland_options){.method = "guess"};
  status = highland_cluster(&features, &options, &clustering, &message);
  printf("refused: %d, %s\n", status == HIGHLAND_INVALID_ARGUMENT, message);
  highland_free(message);
  return 0;
}
