// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import NIOHPACK

/// The headers of gRPC over HTTP/2.
/// See https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
enum GRPCHeaders {
    static let response: HPACKHeaders = [
        ":status": "200", "content-type": "application/grpc", "grpc-accept-encoding": "identity",
    ]

    static let unsupportedMediaType: HPACKHeaders = [":status": "415"]

    /// What ends a stream.
    /// - Parameter isOnly: nothing was sent before.
    static func trailers(_ error: RPCError?, isOnly: Bool) -> HPACKHeaders {
        var headers: HPACKHeaders = isOnly ? self.response : [:]
        headers.add(name: "grpc-status", value: String(error?.code.rawValue ?? 0))
        if let error, !error.message.isEmpty {
            headers.add(name: "grpc-message", value: self.percentEncoded(error.message))
        }
        return headers
    }

    /// Why a request for a method that exists cannot be served; nil if it can.
    static func problem(_ headers: HPACKHeaders) -> RPCError? {
        if let encoding = headers.first(name: "grpc-encoding"), encoding != "identity" {
            // The code that gRPC prescribes: https://github.com/grpc/grpc/blob/master/doc/compression.md
            return RPCError(code: .unimplemented, message: "messages encoded as \(encoding) are not supported")
        }
        return nil
    }

    private static func percentEncoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "%") {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
            }
        }
        return encoded
    }
}
