// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import SwiftProtobuf
import XDSProtocol

/// A request of either variant, as far as a stream needs it.
protocol DiscoveryMessage: Sendable, SwiftProtobuf.Message {
    var hasNode: Bool { get }
    var node: Envoy_Config_Core_V3_Node { get }
    var typeURL: String { get }

    /// Hands the request to the machine.
    func feed(_ machine: inout StreamStateMachine, as type: TypeURL) -> [StreamStateMachine.Action]
}

extension Envoy_Service_Discovery_V3_DiscoveryRequest: DiscoveryMessage {
    func feed(_ machine: inout StreamStateMachine, as type: TypeURL) -> [StreamStateMachine.Action] {
        machine.received(
            SotWRequest(
                type: type,
                resourceNames: self.resourceNames.map { ResourceName($0) },
                versionInfo: self.versionInfo,
                responseNonce: Nonce(self.responseNonce),
                errorDetail: self.hasErrorDetail ? self.errorDetail.message : nil
            )
        )
    }
}

extension Envoy_Service_Discovery_V3_DeltaDiscoveryRequest: DiscoveryMessage {
    func feed(_ machine: inout StreamStateMachine, as type: TypeURL) -> [StreamStateMachine.Action] {
        var initialResourceVersions: [ResourceName: String] = [:]
        for (name, version) in self.initialResourceVersions { initialResourceVersions[ResourceName(name)] = version }
        return machine.received(
            DeltaRequest(
                type: type,
                subscribe: self.resourceNamesSubscribe.map { ResourceName($0) },
                unsubscribe: self.resourceNamesUnsubscribe.map { ResourceName($0) },
                initialResourceVersions: initialResourceVersions,
                responseNonce: Nonce(self.responseNonce),
                errorDetail: self.hasErrorDetail ? self.errorDetail.message : nil
            )
        )
    }
}

/// A response that is encoded already; the transport's own buffer is passed through without a copy.
struct EncodedResponse: Sendable {
    let bytes: GRPCNIOTransportBytes

    init(_ response: Response, variant: StreamStateMachine.Variant) {
        switch variant {
        case .sotw: self.bytes = GRPCNIOTransportBytes(response.encodedSotW())
        case .delta: self.bytes = GRPCNIOTransportBytes(response.encodedDelta())
        }
    }
}

struct EncodedResponseSerializer: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ response: EncodedResponse) throws -> Bytes {
        if let bytes = response.bytes as? Bytes { return bytes }
        // The in-process transport of tests has another buffer.
        return response.bytes.withUnsafeBytes { Bytes($0) }
    }
}
