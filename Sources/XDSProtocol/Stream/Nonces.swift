// SPDX-License-Identifier: Apache-2.0

/// Names the responses of a stream so that only whoever has read one can answer it. An ACK lets the next response go: a client
/// that could guess would be sent one after the other without reading any.
struct Nonces: Sendable {
    private let key: UInt64
    private var count = 0

    /// - Parameter key: chosen at random for each stream.
    init(key: UInt64) {
        self.key = key
    }

    mutating func next() -> Nonce {
        self.count += 1
        // A keyed hash, of which what was seen does not tell what comes.
        var hasher = Hasher()
        hasher.combine(self.key)
        hasher.combine(self.count)
        return Nonce("\(self.count)-\(String(UInt32(truncatingIfNeeded: hasher.finalize()), radix: 36))")
    }
}
