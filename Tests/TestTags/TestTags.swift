public import Testing

extension Tag {
  /// Ranks or threads that share memory, of few points: runs under ThreadSanitizer, too, which makes
  /// it some twenty times slower.
  @Tag public static var threads: Self
}
