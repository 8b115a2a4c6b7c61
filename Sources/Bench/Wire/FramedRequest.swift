// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// A request in gRPC's framing, ready to be sent. The tail is shared by all streams that ask for the same names: a
/// state-of-the-world client repeats them in each ACK.
struct FramedRequest {
    /// The bytes of gRPC's prefix.
    static let prefix = 5

    var head: ByteBuffer
    var tail: ByteBuffer?
}

extension FramedRequest {
    /// - Parameters:
    ///   - node: the encoded `Node`, in the first request of a stream.
    ///   - versionInfo: that of the response that is accepted. State of the world only.
    ///   - nonce: that of the response that is answered; empty if none is.
    ///   - names: encoded by `nameFields`.
    init(
        _ variant: Variant,
        type: ResourceType,
        node: ByteBuffer? = nil,
        versionInfo: some Collection<UInt8> = EmptyCollection(),
        nonce: some Collection<UInt8> = EmptyCollection(),
        names: ByteBuffer? = nil
    ) {
        let capacity = 128 + (node?.readableBytes ?? 0) + versionInfo.count + nonce.count
        var head = ByteBufferAllocator().buffer(capacity: capacity)
        // The prefix: not compressed, and the length, which is not known yet.
        head.writeInteger(UInt8(0))
        head.writeInteger(UInt32(0))
        switch variant {
        case .delta:
            if let node { head.write(field: 1, node.readableBytesView) }
            head.write(field: 2, type.url)
            if !nonce.isEmpty { head.write(field: 6, nonce) }
        case .sotw:
            if !versionInfo.isEmpty { head.write(field: 1, versionInfo) }
            if let node { head.write(field: 2, node.readableBytesView) }
            head.write(field: 4, type.url)
            if !nonce.isEmpty { head.write(field: 5, nonce) }
        }
        let length = head.readableBytes - Self.prefix + (names?.readableBytes ?? 0)
        head.setInteger(UInt32(length), at: 1)
        self.head = head
        self.tail = names
    }

    /// `resource_names` or `resource_names_subscribe`: both are field 3.
    static func nameFields(_ names: some Sequence<[UInt8]>) -> ByteBuffer {
        var buffer = ByteBuffer()
        for name in names { buffer.write(field: 3, name) }
        return buffer
    }

    /// A `Node` as far as it matters.
    static func node(id: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.write(field: 1, id.utf8)
        buffer.write(field: 2, "bench".utf8)
        buffer.write(field: 6, "envoy".utf8)
        return buffer
    }
}

extension ByteBuffer {
    /// A length-delimited field.
    fileprivate mutating func write(field number: UInt8, _ content: some Collection<UInt8>) {
        self.writeInteger(number << 3 | 2)
        var rest = UInt64(content.count)
        while rest >= 0x80 {
            self.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.writeInteger(UInt8(truncatingIfNeeded: rest))
        self.writeBytes(content)
    }
}
