// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections
import TestSupport
import XDSProtocol

/// A client that sends whatever it likes in whatever order, while the world changes: the machine must stay sound, and
/// come to rest once the client accepts what it is sent.
struct HostileStream {
    /// What went wrong, or nil.
    private(set) var failure: String?
    /// What happened, a line each, if it was asked for.
    private(set) var trace: [String] = []
    private let isTraced: Bool
    private var generator: SeededGenerator
    private var machine: StreamStateMachine
    private let limits: StreamStateMachine.Limits
    private var world = HostileWorld()
    private var asked: Set<TypeURL> = []
    /// The nonce of the response of each type that is not answered.
    private var unanswered: [TypeURL: Nonce] = [:]
    /// Those that may be given up, as time passed since.
    private var overdue: Set<TypeURL> = []
    private var nonces: [Nonce] = []
    private var deadlines: [Int] = []
    private var isClosed = false

    static func failure(seed: UInt64) -> String? {
        guard HostileStream(seed: seed, isTraced: false).failure != nil else { return nil }
        let again = HostileStream(seed: seed, isTraced: true)
        return "\(again.failure ?? "")\n\(again.trace.joined(separator: "\n"))"
    }

    private init(seed: UInt64, isTraced: Bool) {
        self.isTraced = isTraced
        self.generator = SeededGenerator(seed: seed)
        var limits = StreamStateMachine.Limits()
        limits.types = Int.random(in: 3...14, using: &self.generator)
        limits.subscriptions = Int.random(in: 5...80, using: &self.generator)
        self.limits = limits
        let variant = self.generator.chance(1, of: 2) ? StreamStateMachine.Variant.sotw : .delta
        self.machine = StreamStateMachine(variant: variant, limits: limits)
        self.note("\(variant), at most \(limits.types) types and \(limits.subscriptions) names")
        for _ in 0..<Int.random(in: 1...50, using: &self.generator) where !self.isClosed && self.failure == nil {
            self.step()
        }
        if !self.isClosed, self.failure == nil, self.generator.chance(1, of: 2) { self.settle(refusing: true) }
        if !self.isClosed, self.failure == nil { self.settle(refusing: false) }
    }

    private mutating func note(_ event: @autoclosure () -> String) {
        if self.isTraced { self.trace.append(event()) }
    }

    // MARK: Inputs

    private mutating func step() {
        switch Int.random(in: 0..<10, using: &self.generator) {
        case 0..<2: self.changeWorld()
        case 2..<4:
            let type = HostileWorld.types.randomElement(using: &self.generator) ?? .cluster
            if let nonce = self.unanswered[type] { self.answer(type, nonce) }
        case 4:
            let number = self.deadlines.randomElement(using: &self.generator)
            let isMadeUp = self.generator.chance(1, of: 6)
            self.passDeadline(isMadeUp ? Int.random(in: -1...50, using: &self.generator) : number ?? 0)
        default: self.request()
        }
    }

    private mutating func changeWorld() {
        let old = self.world.snapshot
        let changes = self.world.change(using: &self.generator)
        let snapshot = self.world.snapshot
        self.note("world: \(snapshot.differences(from: old).names), told \(changes.map { "\($0.names)" } ?? "nothing")")
        self.perform(self.machine.snapshotChanged(snapshot, changes: changes))
        if self.generator.chance(1, of: 20) {
            let actions = self.machine.snapshotChanged(old, changes: nil)
            if !actions.isEmpty { self.failure = "an older snapshot is taken for news" }
        }
    }

    private mutating func passDeadline(_ number: Int) {
        self.note("deadline \(number)")
        if self.generator.chance(4, of: 5) { self.deadlines.removeAll { $0 == number } }
        self.overdue.formUnion(self.unanswered.keys)
        self.perform(self.machine.deadlinePassed(number))
    }

    /// Accepts or refuses, and does not ask for anything else.
    private mutating func answer(_ type: TypeURL, _ nonce: Nonce) {
        let error = self.generator.chance(1, of: 3) ? self.generator.text() : nil
        self.send(type, nonce: nonce, error: error, names: self.machine.variant == .sotw ? nil : [])
    }

    private mutating func request() {
        let type = HostileWorld.types.randomElement(using: &self.generator) ?? .cluster
        let nonce: Nonce
        switch Int.random(in: 0..<6, using: &self.generator) {
        case 0, 1: nonce = self.unanswered[type] ?? ""
        case 2: nonce = self.nonces.randomElement(using: &self.generator) ?? "1"
        case 3: nonce = Nonce("\(self.nonces.count + 1)")
        case 4: nonce = Nonce(self.generator.text())
        default: nonce = ""
        }
        let error = self.generator.chance(1, of: 6) ? self.generator.text() : nil
        self.send(type, nonce: nonce, error: error, names: self.names(0...4))
    }

    /// - Parameter names: nil if they are those of the last request of the type.
    private mutating func send(_ type: TypeURL, nonce: Nonce, error: String?, names: [ResourceName]?) {
        if self.unanswered[type] == nonce { self.unanswered[type] = nil }
        self.asked.insert(type)
        switch self.machine.variant {
        case .sotw:
            let request = SotWRequest(
                type: type,
                resourceNames: names,
                versionInfo: self.version(type),
                responseNonce: nonce,
                errorDetail: error
            )
            self.note("\(request)")
            self.perform(self.machine.received(request))
        case .delta:
            var initial: [ResourceName: String] = [:]
            for name in self.names(0...3) { initial[name] = self.version(type) }
            let request = DeltaRequest(
                type: type,
                subscribe: names ?? [],
                unsubscribe: names == nil ? [] : self.names(0...3),
                initialResourceVersions: initial,
                responseNonce: nonce,
                errorDetail: error
            )
            self.note("\(request)")
            self.perform(self.machine.received(request))
        }
    }

    private mutating func version(_ type: TypeURL) -> String {
        let held = self.world.snapshot[type].values.randomElement(using: &self.generator)?.version
        switch Int.random(in: 0..<5, using: &self.generator) {
        case 0: return ResourceVersion.Sum(self.world.snapshot[type].values.map(\.version)).description
        case 1, 2: return held?.description ?? "+0000000000000000000000000000001"
        default: return self.generator.text()
        }
    }

    private mutating func names(_ range: ClosedRange<Int>) -> [ResourceName] {
        let isLarge = self.generator.chance(1, of: 40)
        return (0..<Int.random(in: isLarge ? 40...90 : range, using: &self.generator)).map { index in
            switch Int.random(in: 0..<10, using: &self.generator) {
            case 0: .wildcard
            case 1: ResourceName(self.generator.text())
            case 2: HostileNames.all.randomElement(using: &self.generator) ?? ""
            case 3 where isLarge: ResourceName("rc/made-up-\(index).example.com:80")
            default: HostileWorld.names.randomElement(using: &self.generator) ?? "a"
            }
        }
    }

    // MARK: Outputs

    private mutating func perform(_ actions: [StreamStateMachine.Action]) {
        for (index, action) in actions.enumerated() where self.failure == nil {
            switch action {
            case .respond(let response): self.take(response)
            case .report(let rejection):
                self.note("  report \(rejection.resources)")
                if !self.asked.contains(rejection.type) { self.failure = "a report of what was not asked for" }
            case .wake(let number, let duration):
                self.note("  wake \(number) after \(duration)")
                if duration <= .zero || self.deadlines.contains(number) { self.failure = "deadline \(number)" }
                self.deadlines.append(number)
            case .close(let violation):
                self.note("  \(violation)")
                if index < actions.count - 1 { self.failure = "something follows the end" }
                self.isClosed = true
            }
        }
        if !self.isClosed { self.checkBounds() }
    }

    private mutating func take(_ response: Response) {
        self.note("  \(response)")
        let mayFollow = self.overdue.remove(response.type) != nil
        if let nonce = self.unanswered.updateValue(response.nonce, forKey: response.type), !mayFollow {
            self.failure = "two un-ACKed responses of \(response.type), \(nonce) and \(response.nonce)"
        } else if self.nonces.contains(response.nonce) {
            self.failure = "nonce \(response.nonce) is given out twice"
        } else if !self.asked.contains(response.type) {
            self.failure = "\(response.type) was not asked for"
        } else {
            self.failure = ResponseCheck(response, self.machine.variant).failure
        }
        self.nonces.append(response.nonce)
    }

    private mutating func checkBounds() {
        let status = self.machine.status
        if status.count > self.limits.types { self.failure = "\(status.count) types" }
        // A name that was asked for may lead to a virtual host of another name, which is held too.
        let implied = HostileWorld.names.count
        let names = status.reduce(0) { $0 + $1.subscription.names.count }
        if names > self.limits.subscriptions + implied { self.failure = "\(names) names are subscribed" }
    }

    /// Accepts everything, or refuses everything. Whatever happened before, this must end.
    private mutating func settle(refusing: Bool) {
        self.note(refusing ? "refuses everything" : "accepts everything")
        var rounds = 0
        while let (type, nonce) = self.unanswered.first, !self.isClosed, self.failure == nil {
            rounds += 1
            if rounds > 500 { self.failure = "does not come to rest" }
            let error = refusing ? self.generator.text() : nil
            self.send(type, nonce: nonce, error: error, names: self.machine.variant == .sotw ? nil : [])
        }
    }
}

/// Names that are hard to take apart.
enum HostileNames {
    static let all: [ResourceName] = [
        "/", "//", "*/*", "rc/*:80", "rc/x.example.com:80", "rc/x.example.com:", "rc/[::1]:80", "rc/::1", "rc/.",
        "rc/..",
        "rc/.example.com", "rc/x.example.com.", "rc/:80", "rc//x.example.com", "rc/\u{301}x",
        "rc/\u{1F1E9}\u{1F1EA}.de",
        "rc/e\u{301}.example.com:\u{0661}", "rc/\r\n", "signalbox/no-virtual-host", "rc/a.b.c.x.example.com",
        "other/*.example.com", "e\u{301}", "\u{0}",
        ResourceName("rc/" + String(repeating: ".", count: 200)), ResourceName(String(repeating: "n", count: 20_000)),
        ResourceName("rc/" + String(repeating: "x.", count: 100) + "example.com:80"),
    ]
}
