// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPCCore
import SwiftProtobuf
import XDSProtocol

@testable import XDSServer

typealias SotWRequestMessage = Envoy_Service_Discovery_V3_DiscoveryRequest
typealias SotWResponseMessage = Envoy_Service_Discovery_V3_DiscoveryResponse
typealias DeltaRequestMessage = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest
typealias DeltaResponseMessage = Envoy_Service_Discovery_V3_DeltaDiscoveryResponse
typealias DeltaConversation = Conversation<DeltaRequestMessage, DeltaResponseMessage>
typealias SotWConversation = Conversation<SotWRequestMessage, SotWResponseMessage>

/// A proxy's side of one stream, step by step.
struct Conversation<Request: Message, Response: Message> {
    struct Ended: Error {}

    fileprivate let requests: AsyncStream<Request>.Continuation
    fileprivate var responses: RPCAsyncSequence<Response, any Error>.AsyncIterator

    init(
        requests: AsyncStream<Request>.Continuation,
        responses: RPCAsyncSequence<Response, any Error>.AsyncIterator
    ) {
        self.requests = requests
        self.responses = responses
    }

    func send(_ request: Request) {
        self.requests.yield(request)
    }

    /// Throws the status if the stream ended with another than OK, and `Ended` if with OK.
    mutating func response() async throws -> Response {
        guard let response = try await self.nextResponse() else { throw Ended() }
        return response
    }

    /// Nil if the stream ended with status OK.
    mutating func nextResponse() async throws -> Response? {
        try await self.responses.next(isolation: #isolation)
    }

    /// Says that no more requests will come.
    func close() {
        self.requests.finish()
    }
}

extension Conversation<DeltaRequestMessage, DeltaResponseMessage> {
    func ask(_ type: TypeURL, for names: String..., as node: String? = nil) {
        self.send(.ask(type, for: names, as: node))
    }

    func ack(_ response: Response) {
        self.send(
            .with {
                $0.typeURL = response.typeURL
                $0.responseNonce = response.nonce
            }
        )
    }

    func nack(_ response: Response, _ message: String) {
        self.send(
            .with {
                $0.typeURL = response.typeURL
                $0.responseNonce = response.nonce
                $0.errorDetail.message = message
            }
        )
    }
}

extension Conversation<SotWRequestMessage, SotWResponseMessage> {
    func ask(_ type: TypeURL, for names: String..., as node: String? = nil) {
        self.send(.ask(type, for: names, as: node))
    }

    func ack(_ response: Response, _ names: String...) {
        self.send(
            .with {
                $0.typeURL = response.typeURL
                $0.resourceNames = names
                $0.versionInfo = response.versionInfo
                $0.responseNonce = response.nonce
            }
        )
    }

    /// - Parameter last: the response that was last accepted.
    func nack(_ response: Response, _ message: String, last: Response?, _ names: String...) {
        self.send(
            .with {
                $0.typeURL = response.typeURL
                $0.resourceNames = names
                $0.versionInfo = last?.versionInfo ?? ""
                $0.responseNonce = response.nonce
                $0.errorDetail.message = message
            }
        )
    }
}

extension DeltaRequestMessage {
    static func ask(_ type: TypeURL, for names: [String] = [], as node: String? = nil) -> Self {
        .with {
            if let node { $0.node.id = node }
            $0.typeURL = type.rawValue
            $0.resourceNamesSubscribe = names
        }
    }
}

extension SotWRequestMessage {
    static func ask(_ type: TypeURL, for names: [String] = [], as node: String? = nil) -> Self {
        .with {
            if let node { $0.node.id = node }
            $0.typeURL = type.rawValue
            $0.resourceNames = names
        }
    }
}

extension DeltaResponseMessage {
    /// From name to the text that a test's resource holds.
    var contents: [String: String] {
        Dictionary(
            uniqueKeysWithValues: self.resources.map { ($0.name, String(decoding: $0.resource.value, as: UTF8.self)) }
        )
    }
}

extension SotWResponseMessage {
    /// The texts that the tests' resources hold, sorted.
    var contents: [String] {
        self.resources.map { String(decoding: $0.value, as: UTF8.self) }.sorted()
    }
}

extension MethodDescriptor {
    static let deltaADS = DiscoveryMethod.ADS.DeltaAggregatedResources.descriptor
    static let sotwADS = DiscoveryMethod.ADS.StreamAggregatedResources.descriptor
}
