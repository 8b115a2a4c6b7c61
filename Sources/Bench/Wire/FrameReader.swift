// SPDX-License-Identifier: Apache-2.0

/// Takes HTTP/2 frames out of what a connection brings. The content of DATA is handed on as it comes, unless it is
/// padded, all others whole. Nothing is copied but frames that came in pieces, and what was read with their rest.
struct FrameReader {
    /// The beginning of a frame whose rest has not come yet.
    private var pending: [UInt8] = []
    /// The DATA frame that is read, and how much of its content has not come.
    private var data = FrameHead(length: 0, kind: .data, stream: 0)
    private var missing = 0

    /// - Parameter body: called with a frame and its content, of DATA perhaps a part.
    mutating func feed(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (FrameHead, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard self.pending.isEmpty else {
            let whole = self.pending + bytes
            self.pending = []
            try whole.withUnsafeBytes { try self.read($0, body) }
            return
        }
        try self.read(bytes, body)
    }

    private mutating func read(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (FrameHead, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var bytes = bytes
        while !bytes.isEmpty {
            if self.missing > 0 {
                let part = bytes.upTo(min(self.missing, bytes.count))
                self.missing -= part.count
                bytes = bytes.from(part.count)
                var head = self.data
                if self.missing > 0 { head.flags.remove(.endStream) }
                try body(head, part)
                continue
            }
            guard let head = FrameHead(bytes), head.isInParts || bytes.count >= FrameHead.size + head.length else {
                self.pending = Array(bytes)
                return
            }
            bytes = bytes.from(FrameHead.size)
            if head.isInParts {
                self.data = head
                self.missing = head.length
            } else {
                try body(head, bytes.upTo(head.length))
                bytes = bytes.from(head.length)
            }
        }
    }
}

extension FrameHead {
    fileprivate var isInParts: Bool { self.kind == .data && self.length > 0 && !self.flags.contains(.padded) }
}
