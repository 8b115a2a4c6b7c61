// SPDX-License-Identifier: Apache-2.0

import Catalog

/// What was told last of how Consul is and what is wrong in it, so that only news is told.
struct ConsulReport: Sendable {
    /// Between two statuses that differ in their words only: such as how many of thousands of services cannot be read.
    private static let pause = Duration.seconds(1)

    private(set) var status: SourceStatus?
    private var wordsNotBefore = Duration.zero
    /// Whether there are other words than those that were told.
    private var areWordsOwed = false
    private var ofServices: [Diagnostic] = []
    private var others: [Diagnostic] = []
    private var hiddenPolicy: Set<String> = []

    /// When there is something to tell that had to wait.
    var due: Duration? { self.areWordsOwed ? self.wordsNotBefore : nil }

    mutating func news(of status: SourceStatus, at now: Duration) -> SourceEvent? {
        let isNews =
            self.status?.state != status.state || self.status?.reason != status.reason
            || self.status?.isPartial != status.isPartial
        self.areWordsOwed = !isNews && self.areOtherWords(status)
        guard isNews || self.areWordsOwed && self.wordsNotBefore <= now else { return nil }
        self.areWordsOwed = false
        self.wordsNotBefore = now + Self.pause
        self.status = status
        return .status(status)
    }

    private func areOtherWords(_ status: SourceStatus) -> Bool {
        // The words of what does not answer may differ with each try.
        let areStable = [.starting, .suspect].contains(status.state) || status.fault == .rights
        return areStable && self.status?.problem != status.problem
    }

    /// - Parameter ofServices: nil: as before.
    mutating func news(of others: [Diagnostic], ofServices: [Diagnostic]?) -> SourceEvent? {
        guard ofServices.map({ $0 != self.ofServices }) ?? false || others != self.others else { return nil }
        self.ofServices = ofServices ?? self.ofServices
        self.others = others
        return .diagnostics(others + self.ofServices)
    }

    /// - Parameter hidden: the config entries and documents that are refused, by their subjects.
    mutating func news(ofHidden hidden: Set<String>) -> SourceEvent? {
        guard hidden != self.hiddenPolicy else { return nil }
        self.hiddenPolicy = hidden
        return .hiddenPolicy(hidden)
    }
}
