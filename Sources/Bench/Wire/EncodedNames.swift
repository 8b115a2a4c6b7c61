// SPDX-License-Identifier: Apache-2.0

/// A list of names as a request has it, shared by all streams that ask for the same: a state-of-the-world client repeats them
/// in each ACK.
final class EncodedNames {
    let bytes: [UInt8]
    private var framed: (size: Int, bytes: [UInt8]) = (0, [])

    /// `resource_names` or `resource_names_subscribe`: both are field 3.
    init(_ names: some Sequence<[UInt8]>) {
        var bytes: [UInt8] = []
        for name in names { bytes.append(field: 3, name) }
        self.bytes = bytes
    }

    /// In DATA frames of at most so many bytes.
    func frames(of size: Int) -> [UInt8] {
        if self.framed.size != size {
            var output = Output()
            for begin in stride(from: 0, to: self.bytes.count, by: size) {
                FrameWriter.writeData(self.bytes[begin..<min(begin + size, self.bytes.count)], &output)
            }
            self.framed = (size, output.bytes)
        }
        return self.framed.bytes
    }
}
