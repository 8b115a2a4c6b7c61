// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPCCore
import SwiftProtobuf
import XDSProtocol

@testable import XDSServer

extension Rig {
    /// The status that `operation` ends with, unless it is OK.
    func refusal(_ operation: () async throws -> Void) async -> RPCError? {
        do {
            try await operation()
            return nil
        } catch {
            return error as? RPCError
        }
    }

    /// The first response to a request, on a stream of its own.
    func first<Request: Message, Response: Message>(
        _ request: Request,
        from method: MethodDescriptor
    ) async throws -> Response {
        try await self.converse(method) { (proxy: inout Conversation<Request, Response>) in
            proxy.send(request)
            return try await proxy.response()
        }
    }

    /// What the first response to a proxy that asks for everything of a type holds: texts, sorted.
    func firstContents(
        _ method: DiscoveryMethod,
        _ typeURL: String,
        as node: String?
    ) async throws -> [String] {
        switch method.variant {
        case .sotw:
            var request = SotWRequestMessage.ask(.cluster, for: ["*"], as: node)
            request.typeURL = typeURL
            let response: SotWResponseMessage = try await self.first(request, from: method.descriptor)
            return response.contents
        case .delta:
            // There is no wildcard for virtual hosts: the tests' one is "v".
            let name = typeURL == TypeURL.virtualHost.rawValue || method.type == .virtualHost ? "v" : "*"
            var request = DeltaRequestMessage.ask(.cluster, for: [name], as: node)
            request.typeURL = typeURL
            let response: DeltaResponseMessage = try await self.first(request, from: method.descriptor)
            return response.contents.values.sorted()
        }
    }

    /// What a proxy that asks for everything of a type, or for names, is sent first.
    func firstDelta(
        _ type: TypeURL,
        _ names: String...,
        as node: String = "proxy",
        from method: MethodDescriptor = .deltaADS
    ) async throws -> DeltaResponseMessage {
        try await self.first(DeltaRequestMessage.ask(type, for: names, as: node), from: method)
    }

    func firstSotW(
        _ type: TypeURL,
        _ names: String...,
        as node: String = "proxy",
        from method: MethodDescriptor = .sotwADS
    ) async throws -> SotWResponseMessage {
        try await self.first(SotWRequestMessage.ask(type, for: names, as: node), from: method)
    }
}
