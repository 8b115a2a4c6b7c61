// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Hands on what is small in memory of its own. nio-http2 keeps the last bytes that it was given until the next come, and with
/// them the channel's buffer, which would take a second one then: 2 kB a connection, of which nearly all are silent.
final class SmallReads: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Copying that costs less than the buffer.
    private static let small = 2_048

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = self.unwrapInboundIn(data)
        guard bytes.readableBytes <= Self.small else { return context.fireChannelRead(data) }
        context.fireChannelRead(self.wrapInboundOut(ByteBuffer(bytes: bytes.readableBytesView)))
    }
}
