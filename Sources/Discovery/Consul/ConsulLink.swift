// SPDX-License-Identifier: Apache-2.0

/// Whether a datacenter is reached, and its catalog seen: one small request, every 1.6 s, says so.
///
/// Blocking queries cannot tell. One whose token was deleted or lost its rights goes on waiting, and so does one whose
/// index is beyond the server's, or whose server's machine is gone. While the link is not up, it alone is tried.
struct ConsulLink: Sendable {
    enum State: Hashable, Sendable {
        /// Nothing was heard yet.
        case unknown
        case up
        case down(ConsulFailure)
        /// It answers, and shows no `consul`: the token has no rights.
        case blind
    }

    /// What has only this to be noticed by is seen 2 s later at most: jitter adds a fifth, and then all is read.
    static let interval = Duration.milliseconds(1600)
    /// Between two tries while it is down, at the longest.
    private static let longestBackOff = Duration.seconds(1)
    /// How long its request may take.
    static let patience = Duration.seconds(4)
    private static let firstBackOff = Duration.milliseconds(250)
    /// Between two tries, whatever calls for them.
    private static let gap = Duration.milliseconds(100)

    private(set) var state = State.unknown
    private(set) var request: ConsulRequestID?
    private(set) var due = Duration.zero
    /// How many checks were begun.
    private(set) var begun = 0
    /// The last one that went well.
    private(set) var passed = 0
    /// The catalog's index that the answer must reach.
    private(set) var floor: UInt64 = 0
    /// Whether the token had no rights since this was last taken: what was answered meanwhile means nothing.
    private var lostRights = false
    private var lastSent: Duration?
    private var isWantedAgain = false
    private var failures = 0
    /// A server that was seen: cheaper to look at than all of them.
    private var node: String?

    var isUp: Bool { self.state == .up }

    mutating func takeLostRights() -> Bool {
        defer { self.lostRights = false }
        return self.lostRights
    }

    /// - Parameter floor: the highest index that was seen of the catalog's tables.
    mutating func check(in datacenter: String?, floor: UInt64, _ effects: inout ConsulEffects) {
        guard self.request == nil, self.due <= effects.now else { return }
        self.begun += 1
        self.floor = floor
        self.lastSent = effects.now
        self.isWantedAgain = false
        let subject = self.node.map { ConsulQuery.Subject.server(node: $0) } ?? .servers
        self.request = effects.send(ConsulQuery(subject, datacenter: datacenter))
    }

    /// Something was strange: look at once. Returns the number of the check that will tell.
    @discardableResult
    mutating func checkNow(at now: Duration) -> Int {
        guard self.request == nil else {
            self.isWantedAgain = true
            return self.begun + 1
        }
        let earliest = self.lastSent.map { $0 + Self.gap } ?? now
        if self.isUp || self.state == .unknown { self.due = min(self.due, max(now, earliest)) }
        return self.begun + 1
    }

    mutating func answered(_ content: ConsulAnswer.Content, _ effects: inout ConsulEffects) {
        self.request = nil
        switch content {
        case .servers(let nodes) where nodes.isEmpty:
            self.failures += 1
            self.state = .blind
            self.lostRights = true
            self.due = effects.now + effects.backOff(after: self.failures, from: Self.firstBackOff, to: Self.interval)
        case .servers(let nodes):
            self.node = nodes[0]
            self.succeeded(&effects)
        case .server(isVisible: true):
            self.succeeded(&effects)
        default:
            // The server may have left, or the rights: the question for all of them tells.
            self.node = nil
            self.due = effects.now
        }
    }

    mutating func failed(_ failure: ConsulFailure, _ effects: inout ConsulEffects) {
        self.request = nil
        self.failures += 1
        self.state = .down(failure)
        if failure.reason == .acl { self.lostRights = true }
        self.due = effects.now + effects.backOff(after: self.failures, from: Self.firstBackOff, to: Self.longestBackOff)
    }

    /// It is there, and cannot be believed.
    mutating func doubted(at now: Duration) {
        self.state = .down(ConsulDoubt.failure)
        self.due = now + ConsulDoubt.interval
    }

    /// An answer to another question says that nothing is seen.
    mutating func turnedBlind(_ effects: inout ConsulEffects) {
        self.renew(&effects)
        self.state = .blind
        self.lostRights = true
        self.due = min(self.due, effects.now + Self.gap)
    }

    mutating func renew(_ effects: inout ConsulEffects) {
        guard let request = self.request, effects.cancel(request) else { return }
        self.request = nil
        self.due = effects.now
    }

    private mutating func succeeded(_ effects: inout ConsulEffects) {
        self.failures = 0
        self.passed = self.begun
        self.state = .up
        self.due = effects.now + (self.isWantedAgain ? Self.gap : effects.jittered(Self.interval))
    }
}
