// SPDX-License-Identifier: Apache-2.0

/// Names a request or a stream: whatever comes of it comes with it.
struct NomadRequestID: Hashable, Sendable {
    var rawValue: UInt64
}

/// What the follower wants done.
enum NomadAction: Sendable {
    case send(NomadRequestID, NomadQuestion)
    case subscribe(NomadRequestID, NomadSubscription)
    /// Whatever comes of it is not wanted any more.
    case cancel(NomadRequestID)
    case deliver(NomadReport)
    case note(NomadNote)
}

/// Something that operators or metrics should know of.
enum NomadNote: Hashable, Sendable {
    case streamOpened
    case streamEnded(String)
    /// The stream cannot be had: blocking queries take its place.
    case streamRefused(String)
    /// A table changed and no event said so: it was read again.
    case eventsMissed
    /// An index was lower than before: it is asked for again before that is believed.
    case indexDoubted
    /// An index was lower than before, and again when asked again: the server lost its state, or is another.
    case indexFell
    case unreadable(count: Int, first: String)
}

/// The time of an event, and what comes of it.
struct NomadEffects: Sendable {
    /// Who sent: it gets the answer.
    enum Purpose: Hashable, Sendable {
        case stream(scope: Int)
        case page(scope: Int, NomadTable)
        case watch(scope: Int, NomadTable)
        /// Whether Nomad answers at all.
        case probe(scope: Int)
        case service(scope: Int, NomadServiceKey)
        case visibility(scope: Int, namespace: String)
        case checks(allocation: String)
    }

    var now: Duration = .zero
    private(set) var purposes: [NomadRequestID: Purpose] = [:]
    private(set) var actions: [NomadAction] = []
    private var lastID: UInt64 = 0
    var random: NomadRandom

    init(seed: UInt64) {
        self.random = NomadRandom(state: seed)
    }

    mutating func send(_ question: NomadQuestion, for purpose: Purpose) -> NomadRequestID {
        let id = self.makeID(for: purpose)
        self.actions.append(.send(id, question))
        return id
    }

    mutating func subscribe(_ subscription: NomadSubscription, for purpose: Purpose) -> NomadRequestID {
        let id = self.makeID(for: purpose)
        self.actions.append(.subscribe(id, subscription))
        return id
    }

    mutating func cancel(_ id: NomadRequestID) {
        guard self.purposes.removeValue(forKey: id) != nil else { return }
        self.actions.append(.cancel(id))
    }

    mutating func deliver(_ report: NomadReport) {
        self.actions.append(.deliver(report))
    }

    mutating func note(_ note: NomadNote) {
        self.actions.append(.note(note))
    }

    /// Whose the request was; nil: it was cancelled.
    mutating func ended(_ id: NomadRequestID) -> Purpose? {
        self.purposes.removeValue(forKey: id)
    }

    mutating func takeActions() -> [NomadAction] {
        defer { self.actions.removeAll() }
        return self.actions
    }

    private mutating func makeID(for purpose: Purpose) -> NomadRequestID {
        self.lastID += 1
        let id = NomadRequestID(rawValue: self.lastID)
        self.purposes[id] = purpose
        return id
    }
}

/// Good enough to keep many clients from coming back together (Knuth's MMIX).
struct NomadRandom: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        var result: UInt64 = 0
        for _ in 0..<2 {
            self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            result = result << 32 | self.state >> 32
        }
        return result
    }
}
