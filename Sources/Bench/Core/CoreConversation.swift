// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections
import XDSProtocol

/// A stream's machine and a proxy that accepts everything at once, without bytes between them.
struct CoreConversation {
    private let variant: StreamStateMachine.Variant
    private var machine: StreamStateMachine

    init(_ variant: StreamStateMachine.Variant) {
        self.variant = variant
        self.machine = StreamStateMachine(variant: variant)
    }

    /// From the first request to the last ACK, in Envoy's order.
    /// - Returns: how many resources were sent.
    mutating func sync(with world: CoreWorld) -> Int {
        var sent = self.accept(self.machine.snapshotChanged(world.before, changes: nil))
        sent += self.accept(self.request(.cluster, names: []))
        sent += self.accept(self.request(.endpoints, names: world.services))
        sent += self.accept(self.request(.listener, names: []))
        sent += self.accept(self.request(.routeConfiguration, names: world.routes))
        return sent
    }

    /// - Returns: how many resources were sent.
    mutating func change(to snapshot: Snapshot, _ changes: ChangeSet) -> Int {
        self.accept(self.machine.snapshotChanged(snapshot, changes: changes))
    }

    private mutating func accept(_ actions: [StreamStateMachine.Action]) -> Int {
        var actions = actions
        var sent = 0
        while !actions.isEmpty {
            var next: [StreamStateMachine.Action] = []
            for case .respond(let response) in actions {
                sent += response.resources.count
                // The server knows repeated names by their bytes and tells the machine nothing of them.
                next += self.request(
                    response.type,
                    names: self.variant == .sotw ? nil : [],
                    version: response.versionInfo,
                    nonce: response.nonce
                )
            }
            actions = next
        }
        return sent
    }

    private mutating func request(
        _ type: TypeURL,
        names: [ResourceName]?,
        version: String = "",
        nonce: Nonce = Nonce("")
    ) -> [StreamStateMachine.Action] {
        switch self.variant {
        case .sotw:
            self.machine.received(
                SotWRequest(type: type, resourceNames: names, versionInfo: version, responseNonce: nonce)
            )
        case .delta:
            self.machine.received(DeltaRequest(type: type, subscribe: names ?? [], responseNonce: nonce))
        }
    }
}

/// A made-up fleet as the core sees it, before and after one endpoint of one service moved.
struct CoreWorld {
    let before: Snapshot
    let after: Snapshot
    /// What differs between them.
    let changes: ChangeSet
    let services: [ResourceName]
    let routes: [ResourceName]

    init(services: Int) {
        precondition(services > 0)
        var document = WorldDocument(services: services, endpoints: 10)
        self.services = document.services.map { ResourceName($0.name) }
        self.routes = document.routes.map { ResourceName($0.name) }
        var resources = document.resources
        self.before = Snapshot(generation: 1, resources: resources)
        var changes = ChangeSet()
        if let moved = document.touch(services / 2)?.endpointsResource {
            resources[.endpoints, default: [:]][moved.name] = moved
            changes.names[.endpoints] = [moved.name]
        }
        self.after = Snapshot(generation: 2, resources: resources)
        self.changes = changes
    }
}
