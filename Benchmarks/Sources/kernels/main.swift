// How fast is each kernel on one thread, and against what else does the same?
//
//   swift run -c release --package-path Benchmarks kernels [part of a case's name ...]
//
// Prints one line of JSON per case and variant: thread CPU seconds of the best repetition (of several
// threads the seconds that pass), the rate, and the time relative to the case's first variant. To add a
// kernel, write a function that returns its cases, in a file of its own, and add it to the list.

let benchmarks =
  productBenchmarks() + packingBenchmarks() + trainingProductBenchmarks()
  + columnProductBenchmarks()

let selection = CommandLine.arguments.dropFirst()
for benchmark in benchmarks {
  let isSelected = selection.isEmpty || selection.contains { benchmark.name.contains($0) }
  if isSelected { try benchmark.run() }
}
