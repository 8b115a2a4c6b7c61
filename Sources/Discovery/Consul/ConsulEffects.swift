// SPDX-License-Identifier: Apache-2.0

import Catalog

/// What a follower wants done.
enum ConsulAction: Sendable {
    case send(ConsulRequestID, ConsulQuery)
    /// Whatever comes of it is not wanted any more.
    case cancel(ConsulRequestID)
    case deliver(SourceEvent)
    case count(SourceMetrics.Count)
}

/// The time of an event, and what comes of it.
struct ConsulEffects {
    /// Which part of the follower sends: it gets the answer.
    enum Owner: Hashable, Sendable {
        case datacenter(Int)
        case policy
        case agent
    }

    var now: Duration = .zero
    var owner = Owner.agent
    /// Where everything is asked.
    var scope = ConsulScope()
    /// Of the one agent that answers all.
    private(set) var pacer = ConsulPacer()
    /// Whether questions wait shortly: what they wait for may never come, and few can be taken back.
    var isCautious = false
    private(set) var owners: [ConsulRequestID: Owner] = [:]
    private(set) var actions: [ConsulAction] = []
    private var lastID: UInt64 = 0
    /// How long the server holds the connection of each question that waits.
    private var waits: [ConsulRequestID: Duration] = [:]
    /// Until when it holds those of questions that were taken back.
    private var held: [Duration] = []
    private var random: UInt64

    init(seed: UInt64) {
        self.random = seed
    }

    mutating func send(_ query: ConsulQuery) -> ConsulRequestID {
        var query = query
        query.scope = self.scope
        if self.isCautious, query.index != nil { query.wait = min(query.wait, ConsulQuery.cautiousWait) }
        self.lastID += 1
        let id = ConsulRequestID(rawValue: self.lastID)
        self.owners[id] = self.owner
        if query.index != nil { self.waits[id] = self.now + query.longest }
        self.actions.append(.send(id, query))
        if !query.isOfLink, self.pacer.isTroubled {
            self.pacer.asked(at: self.now, jitter: self.jittered(.seconds(1)) / .seconds(1))
        }
        return id
    }

    /// Whether a question may be put now that is not the link's.
    var mayAsk: Bool { self.pacer.mayAsk(at: self.now) }

    var isTroubled: Bool { self.pacer.isTroubled }

    mutating func linkIsUp() { self.pacer.tryNow(at: self.now) }

    mutating func takeCalm() -> Bool { self.pacer.takeCalm() }

    /// - Parameter isFault: whether the agent, or the way to it, is at fault; false: it answered.
    mutating func note(isFault: Bool) {
        if isFault { self.pacer.failed(at: self.now) } else { self.pacer.answered(at: self.now) }
    }

    /// How many questions that were taken back may be held by the server at a time.
    static let maximumHeld = 40

    /// Takes a request back. False: not now. Consul keeps the connection of a question that waits until it would have
    /// answered, and resets all new ones once it has too many.
    mutating func cancel(_ id: ConsulRequestID) -> Bool {
        let now = self.now
        if let end = self.waits[id], end > now {
            self.held.removeAll { $0 <= now }
            guard self.held.count < Self.maximumHeld else { return false }
            self.held.append(end)
        }
        self.waits[id] = nil
        if self.owners.removeValue(forKey: id) != nil { self.actions.append(.cancel(id)) }
        return true
    }

    mutating func deliver(_ event: SourceEvent) {
        self.actions.append(.deliver(event))
    }

    mutating func count(_ event: SourceMetrics.Count) {
        self.actions.append(.count(event))
    }

    /// Whose the request is; nil: it was cancelled.
    mutating func ended(_ id: ConsulRequestID) -> Owner? {
        self.waits[id] = nil
        return self.owners.removeValue(forKey: id)
    }

    mutating func takeActions() -> [ConsulAction] {
        defer { self.actions.removeAll() }
        return self.actions
    }

    /// The same time more or less: many that fail together do not come back together.
    mutating func jittered(_ duration: Duration) -> Duration {
        self.random = self.random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return duration * (0.8 + 0.4 * Double(self.random >> 11) / Double(1 << 53))
    }

    /// How long to wait after so many failures in a row: doubled each time.
    mutating func backOff(after failures: Int, from first: Duration = .milliseconds(250), to limit: Duration)
        -> Duration
    {
        self.jittered(min(limit, first * (1 << min(max(failures - 1, 0), 20))))
    }
}
