// SPDX-License-Identifier: Apache-2.0

/// Looks for who changed, when the catalog says that somebody did and not who: each service's own index is asked for,
/// which costs the server little. Those that changed most recently come first.
///
/// A search goes once around all services. A change that comes up meanwhile makes it go around once more from where it
/// is: each is found after one round at most. When changes never stop, rounds take a fifth of the time.
struct ConsulSearch: Sendable {
    enum Urgency: Hashable, Sendable {
        /// Nothing explains the change.
        case now
        /// Something does, but another change may hide behind it. A search for that is in no hurry.
        case later
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
    private var asked: [ConsulRequestID: (name: String, index: UInt64)] = [:]
    /// Of the search that is running.
    private(set) var running: Urgency?
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

    mutating func want(_ urgency: Urgency, at now: Duration) {
        switch urgency {
        case .now: if self.wantedNow == nil { self.wantedNow = now + Self.grace }
        case .later: if self.wantedLater == nil { self.wantedLater = now + Self.delay }
        }
    }

    /// What was not explained when it was noticed is by now.
    mutating func explained(at now: Duration) {
        guard self.wantedNow != nil else { return }
        self.wantedNow = nil
        self.hasGlanced = false
        self.want(.later, at: now)
    }

    /// What was just noticed may explain it, once it is read.
    mutating func mayBeExplained(at now: Duration) {
        if self.wantedNow != nil { self.wantedNow = now + Self.grace }
    }

    /// Whether a new search is to be given its candidates, or the one that is running goes around once more.
    mutating func goesOn(at now: Duration) -> Bool {
        guard self.running == .now, self.isUrgent(at: now) else { return false }
        self.hasGlanced = false
        self.wantedNow = nil
        self.remaining = self.ring.count
        return true
    }

    /// - Parameter candidates: those that changed most recently first.
    mutating func start(_ candidates: [String], at now: Duration) {
        let isUrgent = self.isUrgent(at: now)
        if isUrgent {
            self.wantedNow = nil
            self.hasGlanced = false
        }
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

    mutating func asks(_ name: String, known index: UInt64, with request: ConsulRequestID, at now: Duration) {
        self.asked[request] = (name, index)
        switch self.running {
        case .now, nil: self.hurried.spend(Self.cost, at: now)
        case .later: self.relaxed.spend(Self.cost, at: now)
        }
    }

    /// Returns which service the request was about, and the index that was known when it was asked.
    mutating func ended(_ request: ConsulRequestID) -> (name: String, index: UInt64)? {
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
        self.want(.now, at: effects.now)
    }

    private mutating func finishIfDone() {
        if self.remaining == 0, self.asked.isEmpty { self.running = nil }
    }
}
