// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections
import Synchronization
import TestSupport
import XDSProtocol

@testable import XDSServer

/// A world that is written down: who is in which group, and what each group gets.
final class TestWorld: World {
    typealias Contents = [TypeURL: [String: String]]

    /// By the one member that a group of this world has.
    private let groups: [String: Contents]
    /// By node ID.
    private let members: [String: String]
    /// Where those are that `members` does not name; nil: nowhere.
    private let others: String?
    private let asked = Mutex<[NodeGroup]>([])
    private let forgotten = Mutex<[NodeGroup]>([])

    init(_ groups: [String: Contents], members: [String: String], others: String? = nil) {
        self.groups = groups
        self.members = members
        self.others = others
    }

    /// One group for all.
    convenience init(_ contents: Contents) {
        self.init(["all": contents], members: [:], others: "all")
    }

    /// The groups whose resources were asked for, in the order of the questions.
    var groupsAsked: [NodeGroup] { self.asked.withLock { $0 } }

    var groupsForgotten: [NodeGroup] { self.forgotten.withLock { $0 } }

    func forget(_ group: NodeGroup) {
        self.forgotten.withLock { $0.append(group) }
    }

    func group(of node: Node, streams: StreamKind) -> NodeGroup? {
        (self.members[node.id] ?? self.others).map { NodeGroup(members: [$0], streams: streams) }
    }

    func resources(for group: NodeGroup) -> [TypeURL: Snapshot.Resources] {
        self.asked.withLock { $0.append(group) }
        return Snapshot(0, group.members.first.flatMap { self.groups[$0] } ?? [:]).resources
    }
}
