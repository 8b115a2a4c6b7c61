// SPDX-License-Identifier: Apache-2.0

/// What every HTTP/2 frame begins with. See https://www.rfc-editor.org/rfc/rfc9113#section-4.1
struct FrameHead: Equatable {
    enum Kind: UInt8 {
        case data, headers, priority, rstStream, settings, pushPromise, ping, goAway, windowUpdate, continuation
    }

    struct Flags: OptionSet {
        let rawValue: UInt8

        static let endStream = Flags(rawValue: 0x1)
        /// Of SETTINGS and PING.
        static let ack = Flags(rawValue: 0x1)
        static let endHeaders = Flags(rawValue: 0x4)
        static let padded = Flags(rawValue: 0x8)
        static let priority = Flags(rawValue: 0x20)
    }

    static let size = 9

    var length: Int
    /// Nil: a kind that is to be ignored.
    var kind: Kind?
    var flags: Flags = []
    /// 0: the connection itself.
    var stream: UInt32
}

extension FrameHead {
    /// Nil while it has not come whole.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.size else { return nil }
        let lengthAndKind = bytes.integer(at: 0)
        self.length = Int(lengthAndKind >> 8)
        self.kind = Kind(rawValue: UInt8(truncatingIfNeeded: lengthAndKind))
        self.flags = Flags(rawValue: bytes[4])
        // The first bit is reserved.
        self.stream = bytes.integer(at: 5) & 0x7fff_ffff
    }

    func write(to bytes: inout [UInt8]) {
        bytes.append(integer: UInt32(self.length) << 8 | UInt32(self.kind?.rawValue ?? 0xff))
        bytes.append(self.flags.rawValue)
        bytes.append(integer: self.stream)
    }

    /// The content of a DATA or HEADERS frame, without what surrounds it: of padding its length comes first, and HEADERS
    /// may have five bytes of priority.
    func unpadded(_ content: UnsafeRawBufferPointer) throws(MalformedMessage) -> UnsafeRawBufferPointer {
        var (begin, padding) = (0, 0)
        if self.flags.contains(.padded) {
            padding = Int(content.first ?? 0)
            begin = 1
        }
        if self.kind == .headers, self.flags.contains(.priority) { begin += 5 }
        guard content.count >= begin + padding else {
            throw MalformedMessage(description: "a frame with more padding than content")
        }
        return UnsafeRawBufferPointer(rebasing: content[begin..<content.count - padding])
    }
}
