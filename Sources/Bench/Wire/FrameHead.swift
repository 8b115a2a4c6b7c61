// SPDX-License-Identifier: Apache-2.0

import NIOCore

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
    init?(_ bytes: ByteBuffer) {
        let start = bytes.readerIndex
        guard let lengthAndKind = bytes.getInteger(at: start, as: UInt32.self),
            let flags = bytes.getInteger(at: start + 4, as: UInt8.self),
            let stream = bytes.getInteger(at: start + 5, as: UInt32.self)
        else { return nil }
        self.length = Int(lengthAndKind >> 8)
        self.kind = Kind(rawValue: UInt8(truncatingIfNeeded: lengthAndKind))
        self.flags = Flags(rawValue: flags)
        // The first bit is reserved.
        self.stream = stream & 0x7fff_ffff
    }

    func write(to bytes: inout ByteBuffer) {
        bytes.writeInteger(UInt32(self.length) << 8 | UInt32(self.kind?.rawValue ?? 0xff))
        bytes.writeInteger(self.flags.rawValue)
        bytes.writeInteger(self.stream)
    }
}

extension ByteBuffer {
    /// The content of a DATA or HEADERS frame, without what surrounds it: of padding its length comes first, and HEADERS
    /// may have five bytes of priority.
    mutating func unpad(_ head: FrameHead) throws {
        var padding = 0
        if head.flags.contains(.padded) { padding = Int(self.readInteger(as: UInt8.self) ?? 0) }
        let priority = head.kind == .headers && head.flags.contains(.priority) ? 5 : 0
        guard self.readableBytes >= priority + padding else {
            throw MalformedMessage(description: "a frame with more padding than content")
        }
        self.moveReaderIndex(forwardBy: priority)
        self.moveWriterIndex(to: self.writerIndex - padding)
    }
}
