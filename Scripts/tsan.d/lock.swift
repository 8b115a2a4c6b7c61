// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What the thread sanitizer must not report: all changes are under a lock that is contended.
final class Shared: Sendable {
    let numbers = Mutex<[Int]>([])
}

let shared = Shared()
await withTaskGroup { group in
    for _ in 0..<4 {
        group.addTask {
            for number in 0..<20_000 {
                shared.numbers.withLock { numbers in
                    numbers.append(number)
                    if numbers.count > 100 { numbers.removeAll() }
                }
            }
        }
    }
}
