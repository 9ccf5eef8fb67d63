import Datasets
import LinearAlgebra
import Testing

struct TensorFileTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func file(_ header: String, _ data: [UInt8] = []) throws -> String {
    try scratch.file(
      "t.safetensors", bytes([UInt64(header.utf8.count)]) + Array(header.utf8) + data)
  }

  @Test func readsWhatItWrites() throws {
    let tensors = [
      Tensor(name: "layer.weight", Matrix(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6])),
      Tensor(name: "a \"bias\"/é", shape: [2], elements: [-1, .infinity]),
      Tensor(name: "scalar", shape: [], elements: [7]),
      Tensor(name: "empty", shape: [0, 3], elements: []),
      Tensor(name: "cube", shape: [1, 2, 1], elements: [8, 9]),
    ]
    let path = scratch("t.safetensors")
    let metadata = ["kind": "test", "k": "10"]
    try TensorFile.write(tensors, metadata: metadata, to: path, overwrite: false)
    let file = try TensorFile(path: path)
    #expect(file.path == path)
    #expect(Set(file.names) == Set(tensors.map(\.name)))
    #expect(file.names.first == "layer.weight")
    #expect(file.metadata == metadata)
    for tensor in tensors {
      #expect(try file.shape(of: tensor.name) == tensor.shape)
      #expect(try file.tensor(tensor.name) == tensor)
    }
    #expect(try file.matrix("layer.weight")[1, 2] == 6)
    #expect(
      problem { _ = try file.matrix("cube") }
        == "tensor 'cube' has the shape [1, 2, 1]; expected two dimensions")
    let other = scratch("again.safetensors")
    try TensorFile.write(tensors, metadata: metadata, to: other, overwrite: false)
    #expect(try bytes(of: path) == bytes(of: other))
    #expect(
      problem { try TensorFile.write(tensors, to: path, overwrite: false) }
        == "exists already, and is not overwritten unless that is asked for (--overwrite)")
    try TensorFile.write([], to: path, overwrite: true)
    #expect(try TensorFile(path: path).names == [])
    #expect(try scratch.names == ["again.safetensors", "t.safetensors"])
  }

  @Test func readsEveryFloatingType() throws {
    let header = """
      {"h": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]},
       "b": {"dtype": "BF16", "shape": [2], "data_offsets": [4, 8]},
       "d": {"dtype": "F64", "shape": [1], "data_offsets": [8, 16]},
       "s": {"dtype": "F32", "shape": [1], "data_offsets": [16, 20]},
       "i": {"dtype": "I64", "shape": [], "data_offsets": [20, 28]},
       "x": {"dtype": "F8_E4M3", "shape": [3], "data_offsets": [28, 31]}}
      """
    let data =
      bytes([0.5, -2] as [Float16]) + bytes([0x3F80, 0xC040] as [UInt16]) + bytes([0.1])
      + bytes([0.3 as Float]) + bytes([3 as Int64]) + [0, 0, 0]
    let file = try TensorFile(path: file(header, data))
    #expect(file.names == ["h", "b", "d", "s", "i", "x"])
    #expect(try file.tensor("h").elements == [0.5, -2])
    #expect(try file.tensor("b").elements == [1, -3])
    #expect(try file.tensor("d").elements == [0.1])
    #expect(try file.tensor("s").elements == [0.3])
    #expect(
      problem { _ = try file.tensor("i") }
        == "tensor 'i' has the type I64; expected F32, F16, BF16 or F64")
    #expect(
      problem { _ = try file.tensor("x") }
        == "tensor 'x' has the type F8_E4M3; expected F32, F16, BF16 or F64")
  }

  @Test func aMissingTensorIsNamedWithWhatThereIs() throws {
    let path = scratch("t.safetensors")
    try TensorFile.write([], to: path, overwrite: true)
    #expect(
      problem { _ = try TensorFile(path: path).shape(of: "w") }
        == "no tensor 'w'; there is none")
    let tensors = (0..<10).map { Tensor(name: "t\($0)", shape: [0], elements: []) }
    try TensorFile.write(tensors, to: path, overwrite: true)
    #expect(
      problem { _ = try TensorFile(path: path).tensor("w") }
        == "no tensor 'w'; there are 't0', 't1', 't2', 't3', 't4', 't5', 't6', 't7' and 2 more")
  }

  @Test(arguments: [
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}"#,
      "tensor 'a' has 8 bytes; F32 of shape [1] makes 4"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#,
      "tensor 'a' lies at [0, 12]; expected a range in 0 ... 8"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}"#,
      "tensor 'a' lies at [8, 4]; expected a range in 0 ... 8"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#,
      "tensor 'a' lies at [0]; expected a range in 0 ... 8"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#,
      "tensor 'a' lies at [-4, 0]; expected a range in 0 ... 8"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
      "8 bytes of elements; the tensors make 4"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      "tensor 'a' begins at 4, which leaves a gap; expected 0"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
        + #""b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      "tensor 'b' begins at 4, which overlaps the tensor before it; expected 8"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
      "tensor 'a' has the shape [-2]; expected no negative length"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#,
      "tensor 'a' has the shape [4611686018427387904, 4], which is too large"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[4611686018427387904,4,0],"data_offsets":[0,0]}}"#,
      "tensor 'a' has the shape [4611686018427387904, 4, 0], which is too large"
    ),
    (
      #"{"a":{"dtype":"F8_E4M3","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#,
      "tensor 'a' has the shape [4611686018427387904, 4], which is too large"
    ),
    (
      #"{"a":{"dtype":"F4","shape":[1048576,1048576],"data_offsets":[0,8]}}"#,
      "tensor 'a' has 8 bytes; too few for F4 of shape [1048576, 1048576]"
    ),
  ])
  func damagedTensorsAreNamed(header: String, expected: String) throws {
    let path = try file(header, Array(repeating: 0, count: 8))
    #expect(problem { _ = try TensorFile(path: path) } == expected)
  }

  @Test(arguments: [
    "", "{", "[]", "{\"a\": 3}", #"{"a":{"dtype":"F32","shape":[1]}}"#,
    #"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#,
    #"{"__metadata__":{"epochs":3}}"#,
  ])
  func invalidHeadersAreErrorsOnOneLine(header: String) throws {
    let path = try file(header)
    let found = try #require(problem { _ = try TensorFile(path: path) })
    #expect(found.hasPrefix("invalid header: "))
    #expect(!found.contains("\n"))
  }

  @Test func headersBeyondTheFileAreErrors() throws {
    let short = try scratch.file("a", [1, 2, 3])
    #expect(
      problem { _ = try TensorFile(path: short) }
        == "3 bytes; expected at least the 8 of a header's length")
    let long = try scratch.file("b", bytes([UInt64.max, 0]))
    #expect(
      problem { _ = try TensorFile(path: long) }
        == "16 bytes; its header alone should have 8 + 18446744073709551615")
  }
}
