// SPDX-License-Identifier: Apache-2.0

/// One HTTP/1.1 connection to the admin address, kept open so that a touch costs a write and a read.
final class AdminConnection {
    let socket: Socket
    private let authority: String
    private var answer = ""

    init(_ socket: Socket, authority: String) {
        self.socket = socket
        self.authority = authority
    }

    func post(_ target: String) throws(LoadFailure) {
        let head = "POST \(target) HTTP/1.1\r\nhost: \(self.authority)\r\ncontent-length: 0\r\n\r\n"
        try self.socket.write(Array(head.utf8))
    }

    /// - Returns: whether the answer is whole now.
    /// - Throws: if it is any other than 200.
    func received(_ bytes: UnsafeRawBufferPointer) throws(LoadFailure) -> Bool {
        self.answer += String(decoding: bytes, as: UTF8.self)
        guard let end = self.answer.firstRange(of: "\r\n\r\n") else { return false }
        let lines = self.answer[..<end.lowerBound].split(separator: "\r\n")
        let body = self.answer[end.upperBound...]
        guard let length = Self.length(of: lines) else {
            throw LoadFailure("the admin address tells no content-length")
        }
        guard body.utf8.count >= length else { return false }
        let status = lines.first?.split(separator: " ").dropFirst().first ?? "nothing"
        guard status == "200" else { throw LoadFailure("the admin address answered \(status): \(body)") }
        self.answer = ""
        return true
    }

    private static func length(of lines: [Substring]) -> Int? {
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == "content-length" else {
                continue
            }
            return Int(line[line.index(after: colon)...].trimmingPrefix { $0 == " " })
        }
        return nil
    }
}
