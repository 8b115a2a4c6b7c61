// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Cuts a stream of bytes into lines, and holds no more of an unfinished one than is allowed.
struct LineSplitter {
    struct LineTooLong: Error {}

    private let limit: Int
    /// The start of a line whose end has not come.
    private var rest = ByteBuffer()

    /// - Parameter limit: of a line, in bytes.
    init(limit: Int) {
        self.limit = limit
    }

    /// The lines that end in this part, without their ends and without the empty ones.
    mutating func receive(_ part: ByteBuffer) throws(LineTooLong) -> [ByteBuffer] {
        var part = part
        var lines: [ByteBuffer] = []
        while let end = part.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            let length = end - part.readerIndex
            guard self.rest.readableBytes + length <= self.limit else { throw LineTooLong() }
            var line = part.readSlice(length: length) ?? ByteBuffer()
            part.moveReaderIndex(forwardBy: 1)
            if self.rest.readableBytes > 0 {
                self.rest.writeBuffer(&line)
                line = self.rest
                self.rest = ByteBuffer()
            }
            if line.readableBytesView.last == UInt8(ascii: "\r") {
                line.moveWriterIndex(to: line.writerIndex - 1)
            }
            if line.readableBytes > 0 { lines.append(line) }
        }
        guard self.rest.readableBytes + part.readableBytes <= self.limit else { throw LineTooLong() }
        self.rest.writeBuffer(&part)
        return lines
    }
}
