// Short messages between processes that need no MPI.

@unsafe @preconcurrency internal import Glibc

/// A place that datagrams can be sent to: an IPv4 address and a port.
struct DatagramAddress: Hashable, Sendable {
  /// In network order, as `in_addr` has it.
  var host: UInt32
  var port: UInt16

  /// 127.0.0.1, in network order.
  static let thisHost = UInt32(0x7F00_0001).bigEndian
}

/// A socket for datagrams; closed when it goes.
final class DatagramSocket: Sendable {
  private let descriptor: Int32
  /// The port that the system chose.
  let port: UInt16

  /// A socket at all addresses of this host, whose ``receive(_:)`` waits no longer than `seconds`; nil if
  /// the system has none to give.
  init?(waiting seconds: Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return nil }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    var wait = timeval(tv_sec: seconds, tv_usec: 0)
    let isReady = unsafe withUnsafeMutablePointer(to: &address) { address in
      unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe bind(descriptor, address, length) == 0
          && getsockname(descriptor, address, &length) == 0
          && setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size)) == 0
      }
    }
    guard isReady else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    port = UInt16(bigEndian: address.sin_port)
  }

  deinit { close(descriptor) }

  /// Sends, or does not: nobody tells.
  func send(_ bytes: [UInt8], to place: DatagramAddress) {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = place.host
    address.sin_port = place.port.bigEndian
    unsafe withUnsafePointer(to: &address) { address in
      unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        _ = unsafe sendto(
          descriptor, bytes, bytes.count, Int32(MSG_DONTWAIT), address,
          socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  /// The next datagram, of which no more than `limit` bytes are kept; nil if none came in time.
  func receive(_ limit: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = unsafe recv(descriptor, &bytes, limit, 0)
    return count < 0 ? nil : Array(bytes[..<count])
  }
}

/// The IPv4 addresses of this host that others may reach, in network order.
func addressesOfThisHost() -> [UInt32] {
  var first: UnsafeMutablePointer<ifaddrs>?
  guard unsafe getifaddrs(&first) == 0 else { return [] }
  defer { unsafe freeifaddrs(first) }
  var found: [UInt32] = []
  var next = unsafe first
  while let entry = unsafe next {
    unsafe next = entry.pointee.ifa_next
    guard let address = unsafe entry.pointee.ifa_addr,
      unsafe address.pointee.sa_family == sa_family_t(AF_INET)
    else { continue }
    let host = unsafe address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
      unsafe $0.pointee.sin_addr.s_addr
    }
    if UInt32(bigEndian: host) >> 24 != 127 { found.append(host) }
  }
  return found
}
