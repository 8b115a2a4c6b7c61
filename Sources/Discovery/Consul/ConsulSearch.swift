// SPDX-License-Identifier: Apache-2.0

/// Looks for who changed, when the catalog says that somebody did and not who: each service's own index is asked for,
/// which costs the server little.
///
/// All services are in a ring, and each that is asked moves the place in it on. A change that nothing explains is looked
/// for at once: first among those that changed most recently, then around the ring, until somebody explains it. What may
/// hide behind a change that is explained is looked for in no hurry, from where the ring stands, so that changes which
/// never stop do not keep it from ever being found: after one round at most, it is.
struct ConsulSearch: Sendable {
    /// A service that is asked about, and the index that is known of it.
    struct Candidate: Hashable, Sendable {
        var name: String
        var index: UInt64
    }

    /// For the answers that are on their way to explain the change.
    static let grace = Duration.milliseconds(5)
    /// What a probe costs the server: measured, see the decision.
    static let cost = Duration.microseconds(40)
    /// Before what only a transaction of several services can hide is looked for.
    static let delay = Duration.seconds(5)
    /// Probes on a connection at a time: enough that waiting for the next one is no part of the cost.
    private static let batch = 32
    private static let smallBatch = 8
    /// Of the server's time, for a look in no hurry.
    private static let share = 0.1
    /// The same, if only a transaction can hide something.
    private static let smallShare = 0.02
    /// How many of those that changed recently are asked first.
    static let recent = 128

    private var ring = ConsulRing()
    /// Asked before the ring goes on; the first to be asked is the last.
    private var front: [String] = []
    /// How many of the ring are still to be asked at once.
    private var hurriedLeft = 0
    /// How many are still to be asked in no hurry.
    private var relaxedLeft = 0
    private var asked: [ConsulRequestID: [Candidate]] = [:]
    /// The indexes of the catalog that nothing has explained.
    private var noticed: Set<UInt64> = []
    /// Those of them that are looked for.
    private var sought: Set<UInt64> = []
    /// Whether other changes may hide behind these.
    private var mayHide = false
    private var wantedNow: Duration?
    private var wantedLater: Duration?
    /// What the look that is wanted, or that is under way, may take.
    private var wantedShare = Self.smallShare
    private var notBefore = Duration.zero
    private var failures = 0
    /// A fifth of the time, when changes never stop.
    private var hurried = Allowance(burst: .milliseconds(2500), share: 0.2)
    private var relaxed = Allowance(burst: .zero, share: Self.share)

    /// Whether one question about all was asked, which may make the search needless.
    private(set) var hasGlanced = false

    var inFlight: Int { self.asked.count }

    private var isHurried: Bool { !self.sought.isEmpty && (self.hurriedLeft > 0 || !self.front.isEmpty) }
    private var isRelaxed: Bool { self.relaxedLeft > 0 || !self.front.isEmpty }

    // MARK: What is wanted

    /// Nothing explains the change that gave the catalog this index.
    ///
    /// - Parameter hides: whether there were other changes since the index before.
    mutating func wantNow(_ index: UInt64, hides: Bool, at now: Duration) {
        self.noticed.insert(index)
        self.mayHide = self.mayHide || hides
        if self.wantedNow == nil { self.wantedNow = now + Self.grace }
    }

    /// A change is explained, and others may hide behind it.
    ///
    /// - Parameter hides: whether there were other changes since the index before. If not, only a transaction can hide one.
    mutating func wantLater(hides: Bool, at now: Duration) {
        let due = hides ? now : now + Self.delay
        self.wantedLater = min(self.wantedLater ?? due, due)
        if hides { self.wantedShare = Self.share }
    }

    /// A service was found to have changed at this index.
    mutating func explained(_ index: UInt64, at now: Duration) {
        let wasNoticed = self.noticed.remove(index) != nil
        if wasNoticed, self.noticed.isEmpty {
            self.wantedNow = nil
            self.hasGlanced = false
        }
        let wasSought = self.sought.remove(index) != nil
        if wasSought, self.sought.isEmpty {
            self.front = []
            self.hurriedLeft = 0
        }
        guard wasNoticed || wasSought, self.noticed.isEmpty, self.sought.isEmpty else { return }
        self.wantLater(hides: self.mayHide, at: now)
        self.mayHide = false
    }

    /// What was just noticed may explain it, once it is read.
    mutating func mayBeExplained(at now: Duration) {
        if self.wantedNow != nil { self.wantedNow = now + Self.grace }
    }

    /// - Parameter cost: what the question cost the server.
    mutating func glanced(cost: Duration = .zero, at now: Duration) {
        self.hasGlanced = true
        self.hurried.spend(cost, at: now)
    }

    // MARK: When

    /// When there is something to do: to begin, or to ask more; nil: nothing before an answer.
    func due(at now: Duration) -> Duration? {
        var times = [self.beginning(at: now)].compactMap { $0 }
        if self.isHurried, self.asked.isEmpty { times.append(self.notBefore) }
        if !self.isHurried, self.isRelaxed, self.asked.isEmpty {
            times.append(max(self.notBefore, self.relaxed.earliest(at: now)))
        }
        return times.min()
    }

    private func beginning(at now: Duration) -> Duration? {
        let soon = self.wantedNow.map { max($0, self.hurried.earliest(at: now), self.notBefore) }
        let late = self.wantedLater.map { max($0, self.notBefore) }
        guard let soon, let late else { return soon ?? late }
        return min(soon, late)
    }

    /// Whether something is to be looked for that was not.
    func begins(at now: Duration) -> Bool { self.beginning(at: now).map { $0 <= now } ?? false }

    /// Whether it is one that nobody should wait for.
    func isUrgent(at now: Duration) -> Bool { self.wantedNow.map { $0 <= now } ?? false }

    /// - Parameters:
    ///   - names: all services, in any order.
    ///   - additions: how many were added to them, ever.
    ///   - recent: of them, those that changed most recently, the last one first.
    /// - Returns: whether it is begun in a hurry.
    mutating func begin(
        _ names: some Collection<String>,
        additions: Int,
        recent: [String],
        at now: Duration
    ) -> Bool {
        self.ring.turn(to: names, additions: additions)
        let isHurried = self.isUrgent(at: now) && self.hurried.earliest(at: now) <= now
        if isHurried {
            self.wantedNow = nil
            self.hasGlanced = false
            self.sought.formUnion(self.noticed)
            self.noticed = []
            self.front = recent.reversed()
            self.hurriedLeft = self.ring.count
        }
        if let later = self.wantedLater, later <= now {
            self.relaxed.share = self.relaxedLeft > 0 ? max(self.relaxed.share, self.wantedShare) : self.wantedShare
            self.wantedShare = Self.smallShare
            self.wantedLater = nil
            self.relaxedLeft = self.ring.count
        }
        return isHurried
    }

    // MARK: Asking

    /// How many may be asked about with the next request; 0: none now.
    ///
    /// - Parameter connections: that may be used at a time.
    func room(connections: Int, at now: Duration) -> Int {
        guard self.notBefore <= now else { return 0 }
        // After a failure, one to see whether any is answered: each of a batch is a request to the server.
        if self.failures > 0 { return self.asked.isEmpty && (self.isHurried || self.isRelaxed) ? 1 : 0 }
        if self.isHurried { return self.asked.count < connections ? Self.batch : 0 }
        guard self.isRelaxed, self.asked.isEmpty, self.relaxed.earliest(at: now) <= now else { return 0 }
        return Self.smallBatch
    }

    /// The next service to be asked about; nil: none.
    mutating func takeNext() -> String? {
        if let name = self.front.popLast() { return name }
        guard self.hurriedLeft > 0 || self.relaxedLeft > 0, let name = self.ring.next() else { return nil }
        self.hurriedLeft = max(0, self.hurriedLeft - 1)
        self.relaxedLeft = max(0, self.relaxedLeft - 1)
        return name
    }

    mutating func asks(_ candidates: [Candidate], with request: ConsulRequestID, at now: Duration) {
        self.asked[request] = candidates
        let cost = Self.cost * candidates.count
        if self.sought.isEmpty {
            self.relaxed.spend(cost, at: now)
        } else {
            self.hurried.spend(cost, at: now)
        }
    }

    /// Nothing was left to ask about.
    mutating func ranOut() { self.finishIfDone() }

    /// None need be asked: each will tell.
    mutating func areAllWatched() {
        self.front = []
        self.hurriedLeft = 0
        self.relaxedLeft = 0
        self.finishIfDone()
    }

    /// Returns which services the request was about.
    mutating func answered(_ request: ConsulRequestID) -> [Candidate]? {
        guard let asked = self.asked.removeValue(forKey: request) else { return nil }
        self.failures = 0
        self.finishIfDone()
        return asked
    }

    /// Those that it was about are asked about again, after a while. Returns whether it was a request of this.
    mutating func failed(_ request: ConsulRequestID, _ effects: inout ConsulEffects) -> Bool {
        guard let asked = self.asked.removeValue(forKey: request) else { return false }
        self.isMissing(asked)
        self.failures += 1
        self.notBefore = effects.now + effects.backOff(after: self.failures, to: .seconds(60))
        return true
    }

    /// After a failure, it need not wait any longer.
    mutating func retry(at now: Duration) { self.notBefore = min(self.notBefore, now) }

    /// Those that are being asked about are asked about again.
    mutating func renew(_ effects: inout ConsulEffects) {
        for (request, asked) in self.asked {
            _ = effects.cancel(request)
            self.isMissing(asked)
        }
        self.asked = [:]
        self.failures = 0
        self.notBefore = .zero
    }

    private mutating func isMissing(_ asked: [Candidate]) {
        if self.sought.isEmpty {
            self.relaxedLeft = self.ring.count
        } else {
            self.front += asked.map(\.name)
        }
    }

    private mutating func finishIfDone() {
        guard self.asked.isEmpty, self.hurriedLeft == 0, self.front.isEmpty else { return }
        self.sought = []
        if self.noticed.isEmpty { self.mayHide = false }
    }
}
