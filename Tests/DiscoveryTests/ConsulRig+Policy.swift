// SPDX-License-Identifier: Apache-2.0

import Catalog

@testable import Discovery

/// Config entries and documents.
extension ConsulRig {
    static func withPolicy() -> ConsulRig {
        var rig = ConsulRig(.init(keyPrefix: "sb/"))
        rig.change { model in
            model.setEntries(["api", "web"], ofKind: "service-router")
            for name in ["a", "b", "c"] { model.setKey("sb/\(name).yaml", name) }
        }
        rig.run(for: .seconds(3))
        return rig
    }

    /// What was told of documents that are gone.
    var removals: [(paths: [String], accepted: Set<String>)] {
        self.events.compactMap { event -> (paths: [String], accepted: Set<String>)? in
            guard case .documents(let changes, let accepted) = event else { return nil }
            let removed = changes.filter { $0.content == .removed }.map(\.path)
            return removed.isEmpty ? nil : (removed, accepted)
        }
    }

    /// The names of what was told last.
    var lastEntries: (names: [String], accepted: Set<String>)? {
        self.events.compactMap { event -> (names: [String], accepted: Set<String>)? in
            guard case .configEntries(let all, let accepted) = event else { return nil }
            return (all.map(\.key.name), Set(accepted.map(\.name)))
        }.last
    }

    /// What is in force, by the end of the key.
    var documents: [String: String] {
        let stored = self.guarded.stored(wallClock: 0, at: self.now).sources[.consul]?.documents ?? []
        let texts = stored.map {
            ($0.path.replacing("consul:kv/sb/", with: ""), String(decoding: $0.bytes, as: UTF8.self))
        }
        return Dictionary(texts) { first, _ in first }
    }

    /// How many were asked for by their names.
    var keyQuestions: Int { self.sent.count { if case .key = $0.subject { true } else { false } } }
}
