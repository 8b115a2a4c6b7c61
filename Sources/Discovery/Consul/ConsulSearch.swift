// SPDX-License-Identifier: Apache-2.0

/// Looks for who changed, when the catalog says that somebody did and not who: each service's own index is asked for,
/// which costs the server little. Those that changed most recently come first.
///
/// The first search is at once. When changes never stop, searches take a fifth of the time.
struct ConsulSearch: Sendable {
    enum Urgency: Hashable, Sendable {
        /// Nothing explains the change.
        case now
        /// Something does, but another change may hide behind it.
        case later
    }

    /// For the answers that are on their way to explain the change.
    static let grace = Duration.milliseconds(10)
    private static let delay = Duration.seconds(1)
    /// What a probe costs the server: measured, see the decision.
    private static let cost = Duration.microseconds(65)

    /// To be asked, the last one first.
    private var queue: [String] = []
    private var asked: [ConsulRequestID: (name: String, index: UInt64)] = [:]
    /// The urgency of the one that is running.
    private var running: Urgency?
    /// How many were asked since it began.
    private var count = 0
    private var wantedNow: Duration?
    private var wantedLater: Duration?
    private var hurried = Allowance(burst: .milliseconds(2500), share: 0.2)
    private var relaxed = Allowance(burst: .zero, share: 0.05)

    /// Whether one question about all was asked, which may make the search needless.
    private(set) var hasGlanced = false

    var inFlight: Int { self.asked.count }

    /// Whether the next search is one that nobody should wait for.
    var isUrgent: Bool { self.wantedNow != nil }

    /// - Parameter cost: what the question cost the server.
    mutating func glanced(cost: Duration = .zero, at now: Duration) {
        self.hasGlanced = true
        self.hurried.spend(cost, at: now)
    }

    /// When the next search begins; nil: none is wanted, or one is running.
    func due(at now: Duration) -> Duration? {
        guard self.running == nil else { return nil }
        let soon = self.wantedNow.map { max($0, self.hurried.earliest(at: now)) }
        let late = self.wantedLater.map { max($0, self.relaxed.earliest(at: now)) }
        guard let soon, let late else { return soon ?? late }
        return min(soon, late)
    }

    mutating func want(_ urgency: Urgency, at now: Duration) {
        switch urgency {
        case .now: if self.wantedNow == nil { self.wantedNow = now + Self.grace }
        case .later: if self.wantedLater == nil { self.wantedLater = now + Self.delay }
        }
    }

    /// What was not explained when it was noticed is by now.
    mutating func explained(at now: Duration) {
        guard self.wantedNow != nil, self.running == nil else { return }
        self.wantedNow = nil
        self.hasGlanced = false
        self.want(.later, at: now)
    }

    /// - Parameter candidates: the first to be asked is the last.
    mutating func start(_ candidates: [String], at now: Duration) {
        self.running = self.wantedNow == nil ? .later : .now
        self.hasGlanced = false
        self.wantedNow = nil
        self.wantedLater = nil
        self.queue = candidates
        self.count = 0
        self.finishIfDone(at: now)
    }

    /// The next service to be asked about; nil: none now.
    mutating func takeNext(at now: Duration) -> String? {
        defer { self.finishIfDone(at: now) }
        return self.queue.popLast()
    }

    mutating func asks(_ name: String, known index: UInt64, with request: ConsulRequestID) {
        self.asked[request] = (name, index)
        self.count += 1
    }

    /// Returns which service the request was about, and the index that was known when it was asked.
    mutating func ended(_ request: ConsulRequestID, at now: Duration) -> (name: String, index: UInt64)? {
        guard let asked = self.asked.removeValue(forKey: request) else { return nil }
        self.finishIfDone(at: now)
        return asked
    }

    /// It cannot go on: it begins anew, as soon as it may.
    mutating func abandon(_ effects: inout ConsulEffects) {
        guard self.running != nil else { return }
        for request in self.asked.keys { effects.cancel(request) }
        self.asked = [:]
        self.queue = []
        self.finishIfDone(at: effects.now)
        self.want(.now, at: effects.now)
    }

    /// Also right when the last one was taken and not asked about after all.
    private mutating func finishIfDone(at now: Duration) {
        guard let urgency = self.running, self.queue.isEmpty, self.asked.isEmpty else { return }
        self.running = nil
        switch urgency {
        case .now: self.hurried.spend(Self.cost * self.count, at: now)
        case .later: self.relaxed.spend(Self.cost * self.count, at: now)
        }
    }
}
