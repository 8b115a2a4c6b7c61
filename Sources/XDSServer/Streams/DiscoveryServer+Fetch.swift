// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import XDSProtocol

extension DiscoveryServer {
    /// A unary fetch: everything that the request asks for, as one encoded response, the first of a stream.
    func fetch(_ bytes: [UInt8], by method: DiscoveryMethod, on connection: Account) throws -> [UInt8] {
        try connection.takeRequest()
        let (node, type, request) = try self.read(bytes, by: method)
        try self.registry.account(of: node, self.limits).takeRequest()
        let watch = self.cache.watch(node: node, streams: method.streams) {}
        defer { self.cache.cancel(watch) }
        guard let (snapshot, _) = watch.take() else {
            throw RPCError(code: .unavailable, message: "there is no configuration for this node yet")
        }
        var machine = StreamStateMachine(variant: .sotw, limits: self.limits.subscriptions)
        for action in machine.snapshotChanged(snapshot, changes: nil) + machine.received(request) {
            switch action {
            case .respond(let response):
                self.registry.metrics.sent(response)
                return response.encodedSotW()
            case .close(let violation): throw RPCError(violation)
            case .report, .wake: continue
            }
        }
        // Names that do not exist: an answer without resources.
        let versionInfo = ResourceVersion.Sum().description
        return Response(type: type, nonce: Nonce("1"), versionInfo: versionInfo, resources: [], removals: [])
            .encodedSotW()
    }

    private func read(_ bytes: [UInt8], by method: DiscoveryMethod) throws -> (Node, TypeURL, SotWRequest) {
        try RequestShape.check(bytes, variant: .sotw, limits: self.limits)
        do {
            let message = try RequestMessage(bytes, variant: .sotw)
            guard let node = message.node else { throw RPCError.nodeMissing }
            let type = try method.type(of: message)
            var request = try message.sotw(as: type)
            // An unconditional answer: a fetch has no way to say "unchanged".
            request.versionInfo = ""
            request.responseNonce = Nonce("")
            return (try Node(node, limits: self.limits), type, request)
        } catch is RequestMessage.Malformed {
            throw RPCError.malformedRequest
        }
    }
}
