// SPDX-License-Identifier: Apache-2.0

/// The index of one blocking query, and what it says of an answer. The rules are the same for Consul and for Nomad; how
/// often and how patiently each is asked is not: see `ConsulWatch` and `BlockingQuery`.
/// See https://developer.hashicorp.com/consul/api-docs/features/blocking#implementation-details
///
/// - An index that falls is not believed: after a restart a server answers for a moment from half of its state, and only the
///   index tells. The question is put again without an index, so that it is answered at once, and that answer is believed.
/// - A failure leaves the index as it is, or a fall after it would not be noticed.
/// - An index of 0 counts as 1, as 0 does not block.
struct FollowedIndex: Hashable, Sendable {
    enum Verdict: Hashable, Sendable {
        /// - previous: the index of the answer before; nil: there is none that this one can be compared with.
        case believed(previous: UInt64?)
        /// To be asked again before it is believed.
        case regressed
        /// It fell, and a second answer says so, too: what is known belongs to another history.
        case reset
    }

    /// Of the last answer that was believed.
    private(set) var value: UInt64?
    /// Whether the next answer is believed in any case.
    private(set) var isToConfirm = false

    /// What to ask with; nil: without an index, to be answered at once.
    var question: UInt64? { self.isToConfirm ? nil : self.value }

    /// - Parameter index: nil: the answer has none.
    mutating func answered(_ index: UInt64?) -> Verdict {
        let index = index.map { max($0, 1) }
        let previous = self.value
        let hasFallen = (index ?? 0) < previous ?? 0
        if hasFallen, !self.isToConfirm {
            self.isToConfirm = true
            return .regressed
        }
        self.isToConfirm = false
        self.value = index
        return hasFallen ? .reset : .believed(previous: previous)
    }

    /// The next answer is to be one of now, and is believed.
    mutating func confirm() {
        self.isToConfirm = self.value != nil
    }

    /// The last answer that was believed is of no use.
    mutating func goBack(to previous: UInt64?) {
        self.value = previous
    }

    /// As if nothing had been answered.
    mutating func forget() {
        self = FollowedIndex()
    }
}
