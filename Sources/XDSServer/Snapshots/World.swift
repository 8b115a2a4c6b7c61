// SPDX-License-Identifier: Apache-2.0

package import XDSProtocol

/// What a snapshot cache serves: which group a proxy belongs to, and what the group gets. A pure value; the cache asks it
/// once per group and publication.
package protocol World: Sendable {
    /// Nil if nothing selects the proxy: it is sent nothing and keeps what it has.
    func group(of node: Node, streams: StreamKind) -> NodeGroup?

    func resources(for group: NodeGroup) -> [TypeURL: Snapshot.Resources]

    /// The names whose resources may differ from those of the world published just before this one; nil if unknown: then
    /// the cache compares everything. Asked for after `resources`.
    func changes(for group: NodeGroup) -> ChangeSet?

    /// Nobody is in the group any more: what was made for it need not be kept.
    func forget(_ group: NodeGroup)

    /// Whether every proxy belongs to the same group as in the world published just before, so that nobody has to be asked
    /// again.
    var keepsGroups: Bool { get }
}

extension World {
    package func changes(for group: NodeGroup) -> ChangeSet? { nil }
    package var keepsGroups: Bool { false }
    package func forget(_ group: NodeGroup) {}
}
