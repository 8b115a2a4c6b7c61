// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What the thread sanitizer must report: `unguarded` is changed by several threads.
final class Shared: @unchecked Sendable {
    let guarded = Mutex(0)
    var unguarded = 0
}

let shared = Shared()
await withTaskGroup { group in
    for _ in 0..<4 {
        group.addTask {
            for _ in 0..<20_000 {
                shared.guarded.withLock { $0 += 1 }
                shared.unguarded += 1
            }
        }
    }
}
