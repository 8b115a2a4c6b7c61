// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What all streams share: where snapshots come from, who is there, and what each may cost.
package struct DiscoveryServer: Sendable {
    let cache: SnapshotCache
    let registry: StreamRegistry
    let limits: StreamLimits
    let budget: RequestBudget
    let answers: AnswerBudget
    let nameLists = NameLists()
    let released = ReleasedMemory()

    package init(cache: SnapshotCache, registry: StreamRegistry, limits: StreamLimits = StreamLimits()) {
        self.cache = cache
        self.registry = registry
        self.limits = limits
        self.budget = RequestBudget(bytes: limits.requestBudgetBytes)
        self.answers = AnswerBudget(bytes: limits.answerBudgetBytes, time: TimeAmount(limits.answerTime))
    }
}
