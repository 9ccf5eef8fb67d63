/// The network that `highland cluster` uses where no other is named; its card is `Models/README.md`.
public enum DefaultModel {
  /// A `.safetensors` file. `Scripts/train-default-model` makes it.
  public static var contents: [UInt8] { PackageResources.default_safetensors }
}
