// SPDX-License-Identifier: Apache-2.0

/// A request in gRPC's framing, ready to be sent.
struct FramedRequest {
    /// The bytes of gRPC's prefix.
    static let prefix = 5

    let head: [UInt8]
    /// They come last.
    let names: EncodedNames?

    /// - Parameters:
    ///   - node: the encoded `Node`, in the first request of a stream.
    ///   - versionInfo: that of the response that is accepted. State of the world only.
    ///   - nonce: that of the response that is answered; empty if none is.
    init(
        _ variant: Variant,
        type: ResourceType,
        node: [UInt8]? = nil,
        versionInfo: some Collection<UInt8> = EmptyCollection(),
        nonce: some Collection<UInt8> = EmptyCollection(),
        names: EncodedNames? = nil
    ) {
        var head: [UInt8] = []
        head.reserveCapacity(128 + (node?.count ?? 0) + versionInfo.count + nonce.count)
        // The prefix: not compressed, and the length, which is not known yet.
        head.append(contentsOf: [0, 0, 0, 0, 0])
        switch variant {
        case .delta:
            if let node { head.append(field: 1, node) }
            head.append(field: 2, type.url)
            if !nonce.isEmpty { head.append(field: 6, nonce) }
        case .sotw:
            if !versionInfo.isEmpty { head.append(field: 1, versionInfo) }
            if let node { head.append(field: 2, node) }
            head.append(field: 4, type.url)
            if !nonce.isEmpty { head.append(field: 5, nonce) }
        }
        let length = UInt32(head.count - Self.prefix + (names?.bytes.count ?? 0))
        head.withUnsafeMutableBytes { $0.storeBytes(of: length.bigEndian, toByteOffset: 1, as: UInt32.self) }
        self.head = head
        self.names = names
    }

    /// A `Node` as far as it matters.
    static func node(id: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(field: 1, id.utf8)
        bytes.append(field: 2, "bench".utf8)
        bytes.append(field: 6, "envoy".utf8)
        return bytes
    }
}
