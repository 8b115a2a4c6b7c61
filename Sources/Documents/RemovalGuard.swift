// SPDX-License-Identifier: Apache-2.0

import Catalog

/// Holds documents in force that vanish in numbers that look like an accident: an emptied directory, a failed checkout,
/// a volume that is not mounted.
///
/// It looks at the documents of each kind that were in force at any time in the last `window`. When fewer than `100 -
/// percent` per cent of them are left, or the kind has no document left at all, every one of them that is missing is
/// held. So it makes no difference whether they vanish together or one after the other: those that had been let go
/// within the window come back. What is held stays held until it is defined again or the operator accepts the removal.
struct RemovalGuard: Sendable {
    /// The share of a kind that may vanish. 0 turns the guard off.
    let percent: Int
    let window: Duration

    private(set) var held: [Document.Key: Document] = [:]
    /// Since when something is.
    private(set) var heldSince: Duration?
    /// Let go within the window.
    private var departed: [Document.Key: (document: Document, time: Duration)] = [:]

    init(percent: Int, window: Duration) {
        self.percent = percent
        self.window = window
    }

    /// From `previous`, what was in force, held ones included, to `defined`, what the files say now.
    ///
    /// - Parameter accepted: files whose documents are to go if they are missing, and do not count.
    mutating func update(
        from previous: [Document.Key: Document],
        to defined: [Document.Key: Document],
        accepted: Set<String> = [],
        at now: Duration
    ) {
        self.held = self.held.filter { defined[$0.key] == nil }
        defer { self.heldSince = self.held.isEmpty ? nil : self.heldSince ?? now }
        self.departed = self.departed.filter { defined[$0.key] == nil && $0.value.time >= now - self.window }

        var missing = previous.filter { defined[$0.key] == nil && self.held[$0.key] == nil }
        var previous = previous
        if !accepted.isEmpty {
            for (key, document) in missing where accepted.contains(document.origin.file) {
                (missing[key], previous[key]) = (nil, nil)
            }
        }
        guard !missing.isEmpty, self.percent > 0 else { return }
        for (key, document) in missing {
            self.departed[key] = (document, now)
        }
        for kind in Set(missing.keys.map(\.kind)) where self.isTooMuch(of: kind, from: previous, to: defined) {
            for (key, departed) in self.departed where key.kind == kind {
                self.held[key] = departed.document
            }
            self.departed = self.departed.filter { $0.key.kind != kind }
        }
    }

    private func isTooMuch(
        of kind: DocumentKind,
        from previous: [Document.Key: Document],
        to defined: [Document.Key: Document]
    ) -> Bool {
        let reference = Set(previous.keys).union(self.departed.keys).filter { $0.kind == kind }
        let left = reference.count { defined[$0] != nil }
        return left * 100 < (100 - self.percent) * reference.count || !defined.keys.contains { $0.kind == kind }
    }

    /// From here on what is missing is gone.
    mutating func acceptRemovals() {
        self.held = [:]
        self.heldSince = nil
        self.departed = [:]
    }
}
