// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections
import Synchronization
import TestSupport
import Testing
import XDSProtocol

@testable import XDSServer

@Suite struct SnapshotCacheTests {
    private let cache = SnapshotCache()
    private let wakeUps = Counter()

    private func watch(_ node: String = "proxy", _ streams: StreamKind = .aggregated) -> SnapshotWatch {
        self.cache.watch(node: Node(id: node), streams: streams) { [wakeUps] in wakeUps.increment() }
    }

    @Test func `nothing is delivered before the first publication`() throws {
        let watch = self.watch()
        #expect(self.cache.generation == 0)
        #expect(watch.group == nil)
        #expect(watch.take() == nil)
        #expect(self.wakeUps.value == 0)
        self.cache.publish(TestWorld([.cluster: ["a": "1"]]))
        #expect(self.cache.generation == 1)
        #expect(watch.group == NodeGroup(members: ["all"], streams: .aggregated))
        #expect(self.wakeUps.value == 1)
        let delivery = try #require(watch.take())
        #expect(delivery.snapshot.generation == 1)
        #expect(delivery.snapshot[.cluster, "a"] == Resource(.cluster, "a", "1"))
        #expect(delivery.changes == nil)
        #expect(watch.take() == nil)
    }

    @Test func `who comes later gets the newest at once`() throws {
        self.cache.publish(TestWorld([.cluster: ["a": "1"]]))
        self.cache.publish(TestWorld([.cluster: ["a": "2"]]))
        let watch = self.watch()
        #expect(self.wakeUps.value == 1)
        let delivery = try #require(watch.take())
        #expect(delivery.snapshot[.cluster, "a"] == Resource(.cluster, "a", "2"))
        #expect(delivery.changes == nil)
    }

    @Test func `the newest takes the place of what was not taken, with the changes of both`() throws {
        self.cache.publish(TestWorld([.cluster: ["a": "1", "b": "1"], .endpoints: ["e": "1"]]))
        let watch = self.watch()
        _ = watch.take()
        self.cache.publish(TestWorld([.cluster: ["a": "2", "b": "1"], .endpoints: ["e": "1"]]))
        self.cache.publish(TestWorld([.cluster: ["a": "2", "c": "1"], .endpoints: ["e": "1"]]))
        self.cache.publish(TestWorld([.cluster: ["a": "2", "c": "1"], .endpoints: ["e": "2"]]))
        #expect(self.wakeUps.value == 2)
        let delivery = try #require(watch.take())
        #expect(delivery.snapshot.generation == 4)
        #expect(delivery.changes == ChangeSet(names: [.cluster: ["a", "b", "c"], .endpoints: ["e"]]))
        self.cache.publish(TestWorld([.cluster: ["a": "2"], .endpoints: ["e": "2"]]))
        #expect(self.wakeUps.value == 3)
        #expect(watch.take()?.changes == ChangeSet(names: [.cluster: ["c"]]))
    }

    @Test func `changes to what was never taken are no changes: everything is new`() throws {
        self.cache.publish(TestWorld([.cluster: ["a": "1"]]))
        let watch = self.watch()
        self.cache.publish(TestWorld([.cluster: ["a": "2"]]))
        let delivery = try #require(watch.take())
        #expect(delivery.snapshot[.cluster, "a"] == Resource(.cluster, "a", "2"))
        #expect(delivery.changes == nil)
        #expect(self.wakeUps.value == 1)
    }

    @Test func `a publication that changes nothing wakes nobody`() {
        self.cache.publish(TestWorld([.cluster: ["a": "1"]]))
        let watch = self.watch()
        _ = watch.take()
        self.cache.publish(TestWorld([.cluster: ["a": "1"]]))
        #expect(self.wakeUps.value == 1)
        #expect(watch.take() == nil)
        #expect(self.cache.generation == 2)
    }

    @Test func `a group is asked for once, however many are in it, and only if somebody is`() {
        let contents: TestWorld.Contents = [.cluster: ["a": "1"]]
        let watches = (0..<3).map { self.watch("proxy-\($0)") } + [self.watch("other", .deltaPerType)]
        let world = TestWorld(["all": contents, "nobody's": contents], members: [:], others: "all")
        self.cache.publish(world)
        self.cache.publish(world)
        let groups = [
            NodeGroup(members: ["all"], streams: .aggregated), NodeGroup(members: ["all"], streams: .deltaPerType),
        ]
        #expect(world.groupsAsked.count == 4)
        #expect(Set(world.groupsAsked) == Set(groups))
        #expect(watches.map(\.group) == [groups[0], groups[0], groups[0], groups[1]])
    }

    /// Clients choose what they say of themselves, and so their group.
    @Test func `groups that nobody is in any more do not add up`() {
        let contents: TestWorld.Contents = [.cluster: ["a": "1"]]
        let count = SnapshotCache.unusedKept + 10
        let members = Dictionary(uniqueKeysWithValues: (0..<count).map { ("proxy-\($0)", "group-\($0)") })
        let world = TestWorld(Dictionary(uniqueKeysWithValues: members.values.map { ($0, contents) }), members: members)
        self.cache.publish(world)
        let stays = self.watch("proxy-0")
        for number in 1..<count {
            // Who comes back finds what there was.
            for _ in 0..<2 {
                let watch = self.watch("proxy-\(number)")
                #expect(watch.take() != nil)
                self.cache.cancel(watch)
            }
            #expect(world.groupsAsked.count == number + 1)
        }
        #expect(world.groupsForgotten.map(\.members) == (1..<10).map { ["group-\($0)"] })
        #expect(stays.take() != nil)
        let again = self.watch("proxy-1")
        #expect(again.take() != nil && world.groupsAsked.count == count + 1)
    }

    @Test func `a cancelled watch is woken no more`() {
        let watch = self.watch()
        self.cache.publish(TestWorld([.cluster: ["a": "1"]]))
        _ = watch.take()
        self.cache.cancel(watch)
        let world = TestWorld([.cluster: ["a": "2"]])
        self.cache.publish(world)
        #expect(self.wakeUps.value == 1)
        #expect(watch.take() == nil)
        #expect(world.groupsAsked == [])
    }

    // MARK: Groups

    @Test func `what nothing selects is delivered nothing, and everything once something does`() throws {
        let groups: [String: TestWorld.Contents] = ["one": [.cluster: ["a": "1"]]]
        let watch = self.watch()
        self.cache.publish(TestWorld(groups, members: [:]))
        #expect(watch.group == nil)
        #expect(watch.take() == nil)
        self.cache.publish(TestWorld(groups, members: ["proxy": "one"]))
        let delivery = try #require(watch.take())
        #expect(delivery.changes == nil)
        #expect(watch.group?.members == ["one"])
    }

    @Test func `who moves to another group looks at everything`() throws {
        let groups: [String: TestWorld.Contents] = ["one": [.cluster: ["a": "1"]], "two": [.cluster: ["b": "1"]]]
        let stays = self.watch("stays")
        let watch = self.watch()
        self.cache.publish(TestWorld(groups, members: ["proxy": "one"], others: "two"))
        _ = (watch.take(), stays.take())
        self.cache.publish(TestWorld(groups, members: ["proxy": "two"], others: "two"))
        let delivery = try #require(watch.take())
        #expect(delivery.changes == nil)
        #expect(delivery.snapshot[.cluster].keys.sorted() == ["b"])
        #expect(watch.group?.members == ["two"])
        #expect(stays.take() == nil)
    }

    @Test func `what is selected no more keeps what it has`() {
        let groups: [String: TestWorld.Contents] = ["one": [.cluster: ["a": "1"]]]
        let watch = self.watch()
        self.cache.publish(TestWorld(groups, members: ["proxy": "one"]))
        _ = watch.take()
        self.cache.publish(TestWorld(groups, members: [:]))
        #expect(watch.take() == nil)
        #expect(watch.group == nil)
    }

    @Test func `what was not selected for a while is delivered what changed meanwhile`() throws {
        let watch = self.watch()
        self.cache.publish(TestWorld(["one": [.cluster: ["a": "1"]]], members: ["proxy": "one"]))
        _ = watch.take()
        // The group goes on without it.
        self.cache.publish(TestWorld(["one": [.cluster: ["a": "2"]]], members: [:]))
        self.cache.publish(TestWorld(["one": [.cluster: ["a": "2"]]], members: ["proxy": "one"]))
        let delivery = try #require(watch.take())
        #expect(delivery.snapshot[.cluster, "a"] == Resource(.cluster, "a", "2"))
        #expect(delivery.changes?.names[.cluster]?.contains("a") ?? true)
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)

    var value: Int { self.count.withLock { $0 } }

    func increment() {
        self.count.withLock { $0 += 1 }
    }
}
