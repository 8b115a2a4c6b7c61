// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf
import XDSProtocol

@testable import Bench

extension Google_Protobuf_Any {
    init(_ type: TypeURL, _ bytes: [UInt8]) {
        self.init()
        self.typeURL = type.rawValue
        self.value = .init(bytes)
    }
}

extension Message {
    /// As a simulated proxy reads it.
    func parsed<Result>(_ variant: Variant, _ body: (ReceivedResponse) throws -> Result) throws -> Result {
        let bytes: [UInt8] = try self.serializedBytes()
        return try bytes.withUnsafeBytes { try body(try ReceivedResponse($0, variant: variant)) }
    }
}

extension Message where Self == Envoy_Config_Endpoint_V3_ClusterLoadAssignment {
    static func endpoints(_ name: String, port: UInt32) -> Self {
        .with {
            $0.clusterName = name
            $0.endpoints = [
                .with {
                    $0.lbEndpoints = [.with { $0.endpoint.address.socketAddress.portValue = port }]
                }
            ]
        }
    }
}

extension ReceivedResponse {
    var names: [String] {
        get throws {
            var names: [String] = []
            try self.forEachResource { names.append(String(decoding: $0.name, as: UTF8.self)) }
            return names
        }
    }

    var fingerprints: [UInt64] {
        get throws {
            var fingerprints: [UInt64] = []
            try self.forEachResource { fingerprints.append($0.fingerprint) }
            return fingerprints
        }
    }
}

extension FramedRequest {
    /// Without gRPC's prefix, which must be right.
    var payload: [UInt8] {
        let whole = self.head + (self.names?.bytes ?? [])
        let length = whole.withUnsafeBytes { $0.integer(at: 1) }
        guard whole[0] == 0, Int(length) == whole.count - Self.prefix else { return [] }
        return Array(whole[Self.prefix...])
    }
}
