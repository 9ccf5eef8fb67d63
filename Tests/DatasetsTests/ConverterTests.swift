import Communication
import Datasets
import Foundation
import LinearAlgebra
import Testing

private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent()

/// Runs Python: `PYTHON` of the environment, or `python3`.
@discardableResult
private func python(_ arguments: [String]) throws -> (status: Int32, error: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  let program = ProcessInfo.processInfo.environment["PYTHON"] ?? "python3"
  process.arguments = [program] + arguments
  let error = Pipe()
  process.standardOutput = FileHandle.nullDevice
  process.standardError = error
  try process.run()
  let text = try error.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: text, as: UTF8.self))
}

private func script(_ name: String) -> String {
  root.appendingPathComponent("Scripts/\(name)").path
}

private func hasModules(_ names: String) -> Bool {
  (try? python(["-c", "import \(names)"]).status) == 0
}

@Suite(.enabled(if: hasModules("numpy"), "Python has no numpy"))
struct ConverterTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test func datasetsAreConverted() throws {
    let make = """
      import numpy, pickle, sys
      pair = (numpy.arange(6.0).reshape(3, 2), numpy.array([5, 5, -1], "i4"))
      pickle.dump(pair, open(sys.argv[1], "wb"))
      """
    try python(["-c", make, scratch("d.pkl")])
    let arguments = [script("convert-dataset.py"), scratch("d.pkl"), scratch.path]
    #expect(try python(arguments).status == 0)
    let features = try FeatureFile(path: scratch("features.npy"))
    #expect(try features.rows(0..<3).elements == [0, 1, 2, 3, 4, 5])
    #expect(try LabelFile(path: scratch("labels.npy")).labels(0..<3) == [5, 5, -1])
    let (status, error) = try python(arguments)
    #expect(status == 1)
    #expect(
      error == "\(scratch("features.npy")): exists already; give --overwrite to replace it\n")
    #expect(try python(arguments + ["--overwrite", "--half"]).status == 0)
    #expect(try ArrayFile(path: scratch("features.npy")).elementType == .float16)
    #expect(try scratch.names == ["d.pkl", "features.npy", "labels.npy"])
  }

  @Test func anInputIsNotReplaced() throws {
    let make = """
      import numpy, pickle, sys
      pickle.dump((numpy.zeros((3, 2)), numpy.zeros(3, "i4")), open(sys.argv[1], "wb"))
      """
    let path = scratch("features.npy")
    try python(["-c", make, path])
    let (status, error) = try python([
      script("convert-dataset.py"), path, scratch.path, "--overwrite",
    ])
    #expect(status == 1 && error == "\(path): is the input; an output needs a name of its own\n")
  }

  @Test(arguments: 0...5)
  func pairsOfEveryProtocolAreConverted(version: Int) throws {
    let make = """
      import numpy, pickle, sys
      pair = [numpy.asfortranarray(numpy.arange(6.0).reshape(3, 2)), [5, numpy.int64(5), -1]]
      pickle.dump(pair, open(sys.argv[1], "wb"), protocol=int(sys.argv[2]))
      """
    try python(["-c", make, scratch("d.pkl"), "\(version)"])
    let (status, error) = try python([script("convert-dataset.py"), scratch("d.pkl"), scratch.path])
    #expect(status == 0, "\(error)")
    #expect(
      try FeatureFile(path: scratch("features.npy")).rows(0..<3).elements == [0, 1, 2, 3, 4, 5])
    #expect(try LabelFile(path: scratch("labels.npy")).labels(0..<3) == [5, 5, -1])
  }

  /// By its name, before it is imported.
  @Test(arguments: [
    ("(os.system, (f'touch {sys.argv[2]}',))", "posix.system"),
    ("(eval, ('1',))", "builtins.eval"), ("(getattr, (numpy.dtype, 'num'))", "builtins.getattr"),
    ("(numpy.load, (sys.argv[1],))", "numpy.load"),
    ("(codecs.encode, ('x', 'rot13'))", "text encoded as 'rot13'"),
    ("(collections.Counter, ())", "collections.Counter"),
    // Memory of its own choice taken for objects.
    ("(numpy.ndarray, ((1,), numpy.dtype('O'), b'A' * 8))", "an array of object"),
  ])
  func whatAPickleNamesBesideArraysIsRefused(call: String, name: String) throws {
    let make = """
      import _codecs as codecs, collections, numpy, os, pickle, sys
      class Other:
        def __reduce__(self): return \(call)
      pickle.dump((numpy.ones((3, 2)), Other()), open(sys.argv[1], "wb"))
      """
    try python(["-c", make, scratch("d.pkl"), scratch("ran")])
    let (status, error) = try python([script("convert-dataset.py"), scratch("d.pkl"), scratch.path])
    #expect(status == 1)
    #expect(error.hasPrefix("\(scratch("d.pkl")): not read: holds \(name)"), "\(error)")
    #expect(try scratch.names == ["d.pkl"])
  }

  @Test(arguments: [
    (
      "x, y + numpy.uint64(2**63)",
      "row 0: the label 9223372036854775808 is above 9223372036854775807"
    ),
    ("x, numpy.array([1, 2, numpy.inf])", "row 2: the label inf is above 9223372036854775807"),
    ("x, numpy.array([1, -1e30, 0])", "row 1: the label -1e+30 is below -9223372036854775808"),
    ("x * 1e60, y", "row 0 of the features has values too large for float32"),
    (
      "x * 1e-60, y",
      "row 0 of the features has values too small for float32; divide every row by its length, or all "
        + "by one number"
    ),
  ])
  func numbersThatWouldBecomeOthersAreRefused(pair: String, problem: String) throws {
    let make = """
      import numpy, pickle, sys
      x, y = numpy.ones((3, 2)), numpy.arange(3).astype("u8")
      pickle.dump((\(pair)), open(sys.argv[1], "wb"))
      """
    try python(["-c", make, scratch("d.pkl")])
    let (status, error) = try python([script("convert-dataset.py"), scratch("d.pkl"), scratch.path])
    #expect(status == 1 && error == "\(scratch("d.pkl")): \(problem)\n", "\(error)")
  }

  @Test func numPyReadsWhatIsWritten() throws {
    try FeatureFile.write(
      numbers(rows: 3, columns: 2), rowCount: 3, firstRow: 0, to: scratch("x.npy"), as: .float16,
      overwrite: false, on: SingleRank())
    try LabelFile.write(
      [3, -1], count: 2, firstRow: 0, to: scratch("l.npy"), overwrite: false, on: SingleRank())
    let check = """
      import numpy, sys
      x, labels = numpy.load(sys.argv[1]), numpy.load(sys.argv[2])
      expected = (numpy.arange(6) * 37 % 101 / 8 - 5).reshape(3, 2)
      assert x.dtype == "f2" and (x == expected).all(), x
      assert labels.dtype == "i8" and labels.tolist() == [3, -1], labels
      """
    let (status, error) = try python(["-c", check, scratch("x.npy"), scratch("l.npy")])
    #expect(status == 0, "\(error)")
  }

  @Test(.enabled(if: hasModules("torch"), "Python has no torch"))
  func checkpointsAreConverted() throws {
    let make = """
      import sys, torch
      state = {"b.weight": torch.arange(6.).reshape(2, 3).t(), "a": torch.tensor(0.5).half(),
               "c": torch.tensor([1.5]).bfloat16(), "n": torch.tensor([7])}
      torch.save({"state": state, "epoch": 3}, sys.argv[1])
      """
    try python(["-c", make, scratch("m.pth")])
    let output = scratch("m.safetensors")
    let arguments = [script("convert-checkpoint.py"), scratch("m.pth"), output]
    let (status, error) = try python(arguments)
    #expect(status == 1)
    #expect(error.hasPrefix("\(scratch("m.pth")): 'state' is a dict, not a tensor"))
    #expect(try python(arguments + ["--key", "state", "--metadata", "k=10"]).status == 0)
    let file = try TensorFile(path: output)
    #expect(file.names == ["b.weight", "a", "c", "n"])
    #expect(file.metadata == ["k": "10"])
    #expect(try file.matrix("b.weight").elements == [0, 3, 1, 4, 2, 5])
    #expect(try file.tensor("a") == Tensor(name: "a", shape: [], elements: [0.5]))
    #expect(try file.tensor("c").elements == [1.5])
    #expect(try python(arguments + ["--key", "state"]).status == 1)
    #expect(try scratch.names == ["m.pth", "m.safetensors"])
  }
}
