// SPDX-License-Identifier: Apache-2.0

/// Keeps an event stream open.
///
/// It begins where the last one ended, and that is not to be relied on: a server remembers 100 changes, and starts with
/// the oldest that it has. So whoever listens reads everything again whenever it opens.
struct NomadStreamLink: Sendable {
    enum State: Hashable, Sendable {
        case closed
        case connecting(NomadRequestID, since: Duration)
        case open(NomadRequestID, since: Duration)
    }

    /// One that lived shorter counts as a failure, or a server that ends each at once would be kept busy.
    private static let shortestLife = Duration.seconds(1)
    /// Until a refused one is tried again: rights and servers change.
    private static let patience = Duration.seconds(30)
    /// Until one that failed is tried again, at most: one small request, and the first to tell that the server is back.
    private static let longestBackOff = Duration.seconds(5)
    /// How long what is to be read waits for the stream to open first.
    static let headStart = Duration.seconds(1)

    private static let shortLived = NomadFailure(
        reason: "unreachable",
        text: "Nomad ends the event stream as soon as it begins"
    )

    private(set) var state = State.closed
    private(set) var due = Duration.zero
    /// Why there is none; nil while it is open, or was not tried yet.
    private(set) var failure: NomadFailure?
    /// Whether Nomad is there: what failed was its own answer, or it has answered something else since.
    private(set) var isAnswered = false
    /// Whether the last attempt ended without an answer.
    private(set) var isMute = false
    private var isAnsweredElsewhere = false
    /// Of the last change that came.
    private(set) var lastIndex: UInt64?
    /// Whether to ask for nodes, too: the token may lack node:read.
    private(set) var takesNodes: Bool
    private let mayTakeNodes: Bool
    /// A line could not be read. These lists are to show first what was after it: a server would send it again until 100 newer
    /// ones have pushed it out.
    private(set) var awaited: Set<NomadTable> = []
    /// Whether nothing was heard since a line was left out.
    private var hasSkipped = false
    private var backOff = BackOff()

    init(takesNodes: Bool) {
        self.takesNodes = takesNodes
        self.mayTakeNodes = takesNodes
    }

    var isOpen: Bool {
        if case .open = self.state { true } else { false }
    }

    /// Whether the token or the server does not allow it.
    var isRefused: Bool { self.failure?.isRefusal ?? false }

    /// Whether what is to be read should wait a little, so that nothing happens between the read and the stream.
    func isAboutToOpen(at now: Duration) -> Bool {
        switch self.state {
        case .closed: self.failure == nil && self.awaited.isEmpty && self.due <= now
        case .connecting(_, let since): now < since + Self.headStart && self.failure == nil
        case .open: false
        }
    }

    mutating func advance(namespace: String, scope: Int, _ effects: inout NomadEffects) {
        guard case .closed = self.state, self.awaited.isEmpty, self.due <= effects.now else { return }
        let subscription = NomadSubscription(
            namespace: namespace,
            hasNodes: self.takesNodes,
            // It is a foreign number: after the highest there is none.
            index: self.lastIndex.flatMap { $0 < .max ? $0 + 1 : nil }
        )
        self.state = .connecting(effects.subscribe(subscription, for: .stream(scope: scope)), since: effects.now)
    }

    mutating func opened(at now: Duration) {
        guard case .connecting(let id, _) = self.state else { return }
        self.state = .open(id, since: now)
        self.failure = nil
    }

    mutating func heard(index: UInt64) {
        self.lastIndex = max(index, self.lastIndex ?? 0)
        self.hasSkipped = false
    }

    /// - Returns: whether they are to be read for it. Not a second time: then it is the last change that there is, which a server
    ///   sends whatever it is asked for, and what is known of the tables is enough until there is another.
    mutating func skip(underWay: Set<NomadTable>, all: Set<NomadTable>) -> Bool {
        self.awaited = self.hasSkipped ? underWay : all
        return !self.hasSkipped
    }

    /// A list was read, or cannot be.
    ///
    /// - Parameter index: the highest that the lists show. What changed between the first and the last of them is not
    ///   missed: when the stream opens, they are read again.
    mutating func listed(_ table: NomadTable, index: UInt64) {
        guard self.awaited.remove(table) != nil, self.awaited.isEmpty else { return }
        self.lastIndex = max(index, self.lastIndex ?? 0)
        self.hasSkipped = true
    }

    /// The server counts anew: the next one begins with whatever there is.
    mutating func forgetIndex() {
        self.lastIndex = nil
    }

    /// - Parameter failure: nil if the server ended it.
    mutating func ended(_ failure: NomadFailure?, _ effects: inout NomadEffects) {
        let began: Duration? = if case .open(_, let since) = self.state { since } else { nil }
        self.state = .closed
        let isAnswered = began != nil || failure?.status != nil
        // Where streams alone do not come through, it is no news that another one does not.
        self.isAnswered = isAnswered || self.isMute && self.isAnsweredElsewhere
        self.isMute = !isAnswered
        self.isAnsweredElsewhere = false
        if let failure, failure.isRefusal {
            self.failure = failure
            let isWorthAnother = self.takesNodes && failure.status == 403
            self.takesNodes = isWorthAnother ? false : self.mayTakeNodes
            self.due = effects.now + (isWorthAnother ? .zero : Self.patience)
            return
        }
        if self.hasSkipped, began != nil, failure?.isOfLine == true {
            self.failure = failure
            self.due = effects.now + Self.patience
        } else if let began, effects.now - began >= Self.shortestLife {
            self.backOff.succeeded()
            self.due = effects.now
        } else {
            // Once is nothing: a server may restart twice in a second.
            self.failure = failure ?? (self.backOff.failures > 0 ? Self.shortLived : nil)
            self.due = effects.now + min(self.backOff.failed(using: &effects.random), Self.longestBackOff)
        }
    }

    /// Something else was answered.
    mutating func answeredElsewhere() {
        self.isAnsweredElsewhere = true
        self.isAnswered = true
    }

    /// Another token may open it, or with more in it.
    mutating func restart(_ effects: inout NomadEffects) {
        switch self.state {
        case .connecting(let id, _), .open(let id, _): effects.cancel(id)
        case .closed: break
        }
        self.state = .closed
        self.failure = nil
        self.awaited = []
        self.takesNodes = self.mayTakeNodes
        self.due = effects.now
    }

    /// Something else was answered that was not before: this is worth another attempt.
    mutating func hurry(at now: Duration) {
        self.due = min(self.due, now)
    }
}
