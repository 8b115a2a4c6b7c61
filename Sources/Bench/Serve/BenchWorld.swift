// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections
import Synchronization
import XDSProtocol
import XDSServer

/// One world for every proxy, whoever it is and whatever kind of stream it opens.
struct BenchWorld: World {
    private static let everybody = NodeGroup(members: ["bench"], streams: .aggregated)

    var resources: [TypeURL: Snapshot.Resources]
    /// Against the world published just before; nil: unknown.
    var changes: ChangeSet?
    var keepsGroups: Bool

    func group(of node: Node, streams: StreamKind) -> NodeGroup? { Self.everybody }

    func resources(for group: NodeGroup) -> [TypeURL: Snapshot.Resources] { self.resources }

    func changes(for group: NodeGroup) -> ChangeSet? { self.changes }
}

/// The world that the benchmark server serves now, and the two ways to change it. What a call has changed is published
/// when it returns.
final class WorldKeeper: Sendable {
    private struct State {
        var document = WorldDocument()
        var resources: [TypeURL: Snapshot.Resources] = [:]
        var hasPublished = false
    }

    private let state = Mutex(State())
    private let cache: SnapshotCache

    init(cache: SnapshotCache) {
        self.cache = cache
    }

    /// Everything anew.
    func replace(with document: WorldDocument) {
        let resources = document.resources
        self.state.withLock { state in
            state.document = document
            state.resources = resources
            self.publish(&state, changes: nil)
        }
    }

    /// Moves one endpoint of one service and encodes nothing but that service's endpoints.
    func touch(_ index: Int) throws(BadDocument) {
        let refusal: BadDocument? = self.state.withLock { state in
            guard let service = state.document.touch(index) else {
                let count = state.document.services.count
                if state.document.services.indices.contains(index) { return BadDocument("it has no endpoints") }
                return BadDocument(count == 0 ? "there are no services" : "service must be 0 to \(count - 1)")
            }
            let endpoints = service.endpointsResource
            state.resources[.endpoints, default: [:]][endpoints.name] = endpoints
            self.publish(&state, changes: ChangeSet(names: [.endpoints: [endpoints.name]]))
            return nil
        }
        if let refusal { throw refusal }
    }

    /// Under the lock: what changed is told relative to the world published just before.
    private func publish(_ state: inout State, changes: ChangeSet?) {
        self.cache.publish(
            BenchWorld(resources: state.resources, changes: changes, keepsGroups: state.hasPublished)
        )
        state.hasPublished = true
    }
}
