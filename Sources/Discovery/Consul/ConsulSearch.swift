// SPDX-License-Identifier: Apache-2.0

/// Looks for who changed, when the catalog says that somebody did and not who: each service's own index is asked for,
/// which costs the server little. Those that changed most recently come first.
///
/// A search goes once around all services, or until it has found who explains the indexes that it was begun for. A change
/// that comes up meanwhile makes it go around once more from where it is: each is found after one round at most. When
/// changes never stop, rounds take a fifth of the time.
struct ConsulSearch: Sendable {
    enum Urgency: Hashable, Sendable {
        /// Nothing explains the change.
        case now
        /// Something does, but another change may hide behind it. A search for that is in no hurry.
        case later
    }

    /// A service that is asked about, and the index that is known of it.
    struct Candidate: Hashable, Sendable {
        var name: String
        var index: UInt64
    }

    /// For the answers that are on their way to explain the change.
    static let grace = Duration.milliseconds(5)
    private static let delay = Duration.seconds(1)
    /// What a probe costs the server: measured, see the decision.
    private static let cost = Duration.microseconds(65)

    /// All that are looked at, in this order and around.
    private var ring: [String] = []
    private var position = 0
    /// How many are still to be asked.
    private var remaining = 0
    private var asked: [ConsulRequestID: [Candidate]] = [:]
    /// Of the search that is running.
    private(set) var running: Urgency?
    /// The indexes of the catalog that nothing explained when they were noticed, since the round began.
    private var noticed: Set<UInt64> = []
    /// Those for which the search is running.
    private var sought: Set<UInt64> = []
    private var wantedNow: Duration?
    private var wantedLater: Duration?
    private var hurried = Allowance(burst: .milliseconds(2500), share: 0.2)
    private var relaxed = Allowance(burst: .zero, share: 0.05)

    /// Whether one question about all was asked, which may make the search needless.
    private(set) var hasGlanced = false

    var inFlight: Int { self.asked.count }

    /// Whether the next search is one that nobody should wait for.
    func isUrgent(at now: Duration) -> Bool { self.wantedNow.map { $0 <= now } ?? false }

    /// - Parameter cost: what the question cost the server.
    mutating func glanced(cost: Duration = .zero, at now: Duration) {
        self.hasGlanced = true
        self.hurried.spend(cost, at: now)
    }

    /// When the next search begins; nil: none is wanted, or must wait for the one that is running.
    func due(at now: Duration) -> Duration? {
        let soon = self.wantedNow.map { max($0, self.hurried.earliest(at: now)) }
        let late = self.running == nil ? self.wantedLater.map { max($0, self.relaxed.earliest(at: now)) } : nil
        guard let soon, let late else { return soon ?? late }
        return min(soon, late)
    }

    /// Something explains a change, and another may hide behind it.
    mutating func wantLater(at now: Duration) {
        if self.wantedLater == nil { self.wantedLater = now + Self.delay }
    }

    /// Nothing explains the change that gave the catalog this index.
    mutating func wantNow(_ index: UInt64, at now: Duration) {
        self.noticed.insert(index)
        if self.wantedNow == nil { self.wantedNow = now + Self.grace }
    }

    /// A service was found to have changed at this index.
    mutating func explained(_ index: UInt64, at now: Duration) {
        if self.noticed.remove(index) != nil, self.noticed.isEmpty {
            self.wantedNow = nil
            self.hasGlanced = false
            self.wantLater(at: now)
        }
        if self.sought.remove(index) != nil, self.sought.isEmpty, self.running == .now {
            self.remaining = 0
            self.finishIfDone()
            self.wantLater(at: now)
        }
    }

    /// What was just noticed may explain it, once it is read.
    mutating func mayBeExplained(at now: Duration) {
        if self.wantedNow != nil { self.wantedNow = now + Self.grace }
    }

    /// Whether a new search is to be given its candidates, or the one that is running goes around once more.
    mutating func goesOn(at now: Duration) -> Bool {
        guard self.running == .now, self.isUrgent(at: now) else { return false }
        self.begin()
        self.remaining = self.ring.count
        return true
    }

    /// - Parameter candidates: those that changed most recently first.
    mutating func start(_ candidates: [String], at now: Duration) {
        let isUrgent = self.isUrgent(at: now)
        if isUrgent { self.begin() }
        self.wantedLater = nil
        self.running = isUrgent ? .now : .later
        self.ring = candidates
        self.position = 0
        self.remaining = candidates.count
        self.finishIfDone()
    }

    /// The next service to be asked about; nil: none now.
    mutating func takeNext() -> String? {
        guard self.remaining > 0 else {
            self.finishIfDone()
            return nil
        }
        let name = self.ring[self.position]
        self.position = (self.position + 1) % self.ring.count
        self.remaining -= 1
        return name
    }

    mutating func asks(_ candidates: [Candidate], with request: ConsulRequestID, at now: Duration) {
        self.asked[request] = candidates
        let cost = Self.cost * candidates.count
        switch self.running {
        case .now, nil: self.hurried.spend(cost, at: now)
        case .later: self.relaxed.spend(cost, at: now)
        }
    }

    /// Returns which services the request was about.
    mutating func ended(_ request: ConsulRequestID) -> [Candidate]? {
        guard let asked = self.asked.removeValue(forKey: request) else { return nil }
        self.finishIfDone()
        return asked
    }

    /// It cannot go on: it begins anew, as soon as it may.
    mutating func abandon(_ effects: inout ConsulEffects) {
        guard self.running != nil else { return }
        for request in self.asked.keys { _ = effects.cancel(request) }
        self.asked = [:]
        self.remaining = 0
        self.running = nil
        if self.wantedNow == nil { self.wantedNow = effects.now + Self.grace }
    }

    /// What was noticed is sought from here on.
    private mutating func begin() {
        self.wantedNow = nil
        self.hasGlanced = false
        self.sought.formUnion(self.noticed)
        self.noticed = []
    }

    private mutating func finishIfDone() {
        guard self.remaining == 0, self.asked.isEmpty else { return }
        self.sought = []
        self.running = nil
    }
}
