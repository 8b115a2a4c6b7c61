// SPDX-License-Identifier: Apache-2.0

import Catalog
import Discovery
import Glibc
import Synchronization

/// The last known good on disk: what there is to start from, and what is kept for the next start.
extension ControlPlaneService {
    /// Starts from what was in force when it was last saved.
    ///
    /// - Returns: what stands in for each source.
    func restore() async -> [SourceName: KnownWord] {
        guard let store = self.store else { return [:] }
        let load = await store.load()
        self.change(by: "the stored catalog") { state, now in
            switch load {
            case .absent: return .none
            case .loaded(let stored):
                // Files are there to be read, and are never stood in for.
                state.unread.subtract(stored.sources.keys.filter { state.pipeline.followed[$0] != nil })
                return state.pipeline.apply(stored, wallClock: Self.wallClock, at: now)
            case .refused(let diagnostic):
                state.pipeline.refuseStore(diagnostic)
                return .none
            }
        }
        guard case .loaded(let stored) = load else { return [:] }
        return Dictionary(uniqueKeysWithValues: stored.sources.map { ($0, KnownWord($1, of: $0)) })
    }

    /// What to start from the next time; nil while nothing is in force.
    var storedCatalog: StoredCatalog? {
        let now = self.now
        return self.state.withLock { $0.pipeline.stored(wallClock: Self.wallClock, at: now) }
    }

    func apply(_ storeProblem: Diagnostic?) {
        self.change(by: "the stored catalog") { state, _ in
            state.storeProblem = storeProblem
            return .none
        }
    }

    /// In seconds since 1970.
    static var wallClock: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec)
    }
}
