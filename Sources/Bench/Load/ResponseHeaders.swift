// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHPACK

/// The header blocks that a server sends on the only stream of a connection: first its headers, at last its trailers.
/// They are only read if the stream ends, or does not begin as it should: what a block says depends on those before it.
struct ResponseHeaders {
    /// `:status: 200`, as the first of a block: the eighth of HPACK's own table.
    private static let isOK: UInt8 = 0x88

    private var blocks: [ByteBuffer] = []
    private var isContinued = false

    /// - Parameter isWhole: whether no CONTINUATION follows.
    /// - Returns: why the stream ends, if it does.
    mutating func take(_ block: ByteBuffer, isWhole: Bool, isLast: Bool) throws -> String? {
        if self.isContinued, let last = self.blocks.indices.last {
            self.blocks[last].writeImmutableBuffer(block)
        } else {
            self.blocks.append(block)
        }
        self.isContinued = !isWhole
        guard isWhole else { return nil }
        let isExpected = self.blocks.count == 1 && block.getInteger(at: block.readerIndex) == Self.isOK
        return isLast || !isExpected ? try self.reason(isLast: isLast) : nil
    }

    private func reason(isLast: Bool) throws -> String? {
        var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
        var headers = HPACKHeaders()
        for var block in self.blocks { headers.add(contentsOf: try decoder.decodeHeaders(from: &block)) }
        if let status = headers.first(name: "grpc-status") {
            return "ended with gRPC status \(status) \(headers.first(name: "grpc-message") ?? "")"
        }
        if let status = headers.first(name: ":status"), status != "200" { return "HTTP status \(status)" }
        return isLast ? "ended without a status" : nil
    }
}
