// SPDX-License-Identifier: Apache-2.0

/// Cuts what arrives in DATA frames into messages, by gRPC's prefix: a byte for "compressed" and four of length.
/// A message that came whole, as after a small change, is not copied.
struct MessageAssembler {
    private static let prefix = FramedRequest.prefix

    /// The beginning of a message whose rest has not come yet, and its prefix.
    private var pending: [UInt8] = []

    /// Calls `body` with each message that is whole now.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        var bytes = bytes
        while !bytes.isEmpty {
            if self.pending.isEmpty, let whole = try Self.length(of: bytes), bytes.count >= whole {
                try body(bytes.upTo(whole).from(Self.prefix))
                bytes = bytes.from(whole)
                continue
            }
            self.take(&bytes, upTo: Self.prefix)
            guard let whole = try self.pending.withUnsafeBytes({ try Self.length(of: $0) }) else { return }
            self.pending.reserveCapacity(whole)
            self.take(&bytes, upTo: whole)
            guard self.pending.count == whole else { return }
            let message = self.pending
            self.pending = []
            try message.withUnsafeBytes { try body($0.from(Self.prefix)) }
        }
    }

    private mutating func take(_ bytes: inout UnsafeRawBufferPointer, upTo count: Int) {
        let part = bytes.upTo(max(0, min(count - self.pending.count, bytes.count)))
        self.pending.append(contentsOf: part)
        bytes = bytes.from(part.count)
    }

    /// Of the first message, with its prefix; nil while that has not come.
    private static func length(of bytes: UnsafeRawBufferPointer) throws(MalformedMessage) -> Int? {
        guard bytes.count >= Self.prefix else { return nil }
        guard bytes[0] == 0 else { throw MalformedMessage(description: "a compressed message") }
        return Self.prefix + Int(bytes.integer(at: 1))
    }
}
