// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// One request to an agent.
package struct APIRequest: Hashable, Sendable {
    package enum Method: String, Hashable, Sendable {
        case get = "GET"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    /// One parameter of the query, in plain text: "?stale" has no value, "?index=5" has one.
    package struct Parameter: Hashable, Sendable, ExpressibleByStringLiteral {
        package var name: String
        package var value: String?

        package init(_ name: String, _ value: String? = nil) {
            self.name = name
            self.value = value
        }

        package init(stringLiteral name: String) {
            self.init(name)
        }
    }

    package static let defaultMaximumBytes = 64 * 1024 * 1024

    package var method: Method
    /// In plain text, such as "/v1/health/service/a b": the client escapes what must be, except "/".
    package var path: String
    package var query: [Parameter]
    package var body: ByteBuffer?
    /// From now to the last byte of the answer, the wait for a free connection included.
    package var deadline: Duration
    /// The largest body taken; the request is given up as soon as it is known to be larger.
    package var maximumBytes: Int
    /// Of the JSON that is answered, a key whose texts are made empty as they come in.
    package var omittedKey: String?
    /// What of it must not be shown if the answer quotes it, beside what the client always sends.
    package var secrets: [Secret] = []

    package init(
        _ method: Method = .get,
        _ path: String,
        query: [Parameter] = [],
        body: ByteBuffer? = nil,
        deadline: Duration = .seconds(30),
        maximumBytes: Int = APIRequest.defaultMaximumBytes,
        omittedKey: String? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.body = body
        self.deadline = deadline
        self.maximumBytes = maximumBytes
        self.omittedKey = omittedKey
    }

    /// The target of the request line: RFC 3986, and everything escaped that need not be plain.
    var target: String {
        var target: [UInt8] = []
        Self.escape(self.path, keeping: UInt8(ascii: "/"), into: &target)
        for (index, parameter) in self.query.enumerated() {
            target.append(index == 0 ? UInt8(ascii: "?") : UInt8(ascii: "&"))
            Self.escape(parameter.name, into: &target)
            guard let value = parameter.value else { continue }
            target.append(UInt8(ascii: "="))
            Self.escape(value, into: &target)
        }
        return String(decoding: target, as: UTF8.self)
    }

    static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        Self.escape(text, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func escape(_ text: String, keeping kept: UInt8? = nil, into target: inout [UInt8]) {
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), kept:
                target.append(byte)
            default:
                target.append(UInt8(ascii: "%"))
                target.append(digits[Int(byte >> 4)])
                target.append(digits[Int(byte & 15)])
            }
        }
    }
}
