// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
package import NIOCore

extension APIResponse {
    private static let decoder = JSONDecoder()

    /// The elements of the array that the body is.
    ///
    /// - Throws: `malformed` if it is no JSON, or something else than an array or null.
    package func list<Element>(of type: Element.Type) throws(APIError) -> Listing<Element> {
        try self.value(of: Listing<Element>.self)
    }

    /// The values of the object that the body is.
    ///
    /// - Throws: `malformed` if it is no JSON, or something else than an object or null.
    package func map<Value>(of type: Value.Type) throws(APIError) -> Mapping<Value> {
        try self.value(of: Mapping<Value>.self)
    }

    package func value<Value: Decodable>(of type: Value.Type) throws(APIError) -> Value {
        do {
            return try Self.decoder.decode(type, from: Data(self.body.readableBytesView))
        } catch {
            throw self.malformed(error)
        }
    }

    func malformed(_ error: any Error) -> APIError {
        let start = self.explanation.prefix(60)
        let said = start.isEmpty ? "it is empty" : "it starts with \"\(start)\""
        let reason = APIError.printable(self.mask.blanked(describe(error).utf8))
        return APIError(.malformed, "the answer is not the JSON that was asked for: \(reason); \(said)")
    }
}

extension APIRequest {
    /// A body in JSON.
    package static func json(_ value: some Encodable) throws(APIError) -> ByteBuffer {
        do {
            return ByteBuffer(bytes: try JSONEncoder().encode(value))
        } catch {
            throw APIError(.invalid, "the request cannot be written as JSON: \(error)")
        }
    }
}
