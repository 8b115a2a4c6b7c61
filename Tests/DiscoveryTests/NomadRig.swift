// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import NIOCore
import TestSupport

@testable import Discovery

/// A follower and a fake server, with everything that lies between them in the hands of the test.
struct NomadRig {
    struct Stream {
        var subscription: NomadSubscription
        var isOpen = false
        /// Lines that were sent and have not arrived.
        var lines: [String] = []
    }

    var server = FakeNomad()
    /// Which token there is.
    var token = 0
    var follower: NomadFollower
    var now = Duration.zero

    /// Questions on their way to the server, or waiting there.
    var questions: [(id: NomadRequestID, question: NomadQuestion, deadline: Duration)] = []
    var answers: [(id: NomadRequestID, result: Result<NomadAnswer, NomadFailure>)] = []
    var streams: [NomadRequestID: Stream] = [:]
    private var published: UInt64 = 0

    /// What every attempt at a stream ends with.
    var streamFailure: NomadFailure?
    /// Whether what is asked stays without an answer.
    var isMute = false

    // What was told.
    var services: [ServiceName: Service] = [:]
    var facts: [String: AllocationFact] = [:]
    var unheard = Unheard()
    var status: SourceStatus?
    /// What is told goes there.
    var guarded = CatalogGuard()
    var reports: [NomadReport] = []
    var notes: [NomadNote] = []
    var asked: [NomadQuestion] = []

    init(
        _ configuration: NomadConfiguration = NomadConfiguration(wait: .seconds(60)),
        known: [ServiceName: Service] = [:],
        seed: UInt64 = 1
    ) {
        let healthy = known.mapValues { Set($0.instances.filter { $0.health != .critical }.map(\.id)) }
        self.follower = NomadFollower(configuration, known: healthy, seed: seed)
        self.services = known
    }

    // MARK: - The follower's side

    mutating func perform(_ actions: [NomadAction]) {
        for action in actions {
            switch action {
            case .send(let id, let question):
                var deadline = Duration.seconds(3600)
                if case .watch(_, _, _, let wait, _) = question, let wait { deadline = self.now + wait }
                if case .checks = question { deadline = self.now + NomadChecks.deadline }
                self.questions.append((id, question, deadline))
                self.asked.append(question)
            case .subscribe(let id, let subscription): self.streams[id] = Stream(subscription: subscription)
            case .cancel(let id):
                self.streams[id] = nil
                self.questions.removeAll { $0.id == id }
                self.answers.removeAll { $0.id == id }
            case .note(let note): self.notes.append(note)
            case .deliver(let report):
                self.reports.append(report)
                self.hear(report)
            }
        }
    }

    private mutating func hear(_ report: NomadReport) {
        switch report {
        case .facts(let update):
            if update.isComplete { self.facts = [:] }
            for (id, fact) in update.allocations { self.facts[id] = fact }
        case .source(.catalog(let update)):
            _ = self.guarded.apply(update, at: self.now)
            if update.isComplete { self.services = self.services.filter { update.unheard.services[$0.key] != nil } }
            for (name, service) in update.services { self.services[name] = service }
            self.unheard = update.unheard
        case .source(.status(let status)):
            self.guarded.apply(status, at: self.now)
            self.status = status
        case .source: break
        }
    }

    /// As they were told.
    func health(_ service: String) -> [Instance.Health]? {
        self.services[ServiceName(service)]?.instances.map(\.health)
    }

    /// All that was told of services.
    var updates: [CatalogUpdate] {
        self.reports.compactMap { if case .source(.catalog(let update)) = $0 { update } else { nil } }
    }

    mutating func start() { self.perform(self.follower.advance(to: self.now)) }

    /// The last time that something was told of services or facts.
    var hasTold: Bool { self.reports.contains { if case .source(.status) = $0 { false } else { true } } }

    // MARK: - The server's side

    /// Puts what was published since on every stream. One that is behind what the server remembers is cut.
    mutating func publish() {
        let published = self.published
        if self.server.dropped > published, self.server.index > published {
            for (id, stream) in self.streams where stream.isOpen { self.end(id) }
        }
        let news = self.server.events.suffix(while: { $0.index > published })
        self.published = self.server.index
        for id in self.streams.keys where self.streams[id]?.isOpen ?? false {
            self.streams[id]?.lines += news.map(\.line)
        }
    }

    /// The server looks at one question. False: it still waits.
    @discardableResult
    mutating func process(_ place: Int) -> Bool {
        if self.isMute { return false }
        let (id, question, deadline) = self.questions[place]
        var response = self.server.answer(question)
        if response == nil, self.now >= deadline, case .watch(let table, _, _, _, _) = question {
            response = self.server.answer(.watch(table, namespace: "*", index: nil, wait: nil, deadline: .zero))
        }
        if response == nil, self.now >= deadline, case .checks = question {
            self.fail(place)
            return true
        }
        guard let response else { return false }
        self.questions.remove(at: place)
        let token = self.token
        let result = Result { () throws(NomadFailure) in try NomadAnswer(response, to: question, token: token) }
        self.answers.append((id, result))
        return true
    }

    mutating func fail(_ place: Int) {
        let id = self.questions.remove(at: place).id
        self.answers.append((id, .failure(NomadFailure(APIError(.unreachable, "cut")))))
    }

    mutating func arrive(_ place: Int) {
        let (id, result) = self.answers.remove(at: place)
        self.perform(self.follower.answered(id, result, at: self.now))
    }

    mutating func open(_ id: NomadRequestID) {
        guard let stream = self.streams[id], !stream.isOpen else { return }
        if let refusal = self.server.refusal {
            return self.end(id, NomadFailure(status: refusal.status, text: refusal.text))
        }
        if let failure = self.streamFailure { return self.end(id, failure) }
        let isAllowed = self.server.isStreaming && (self.server.mayReadNodes || !stream.subscription.hasNodes)
        guard isAllowed else { return self.end(id, NomadFailure(status: 403, text: "Permission denied")) }
        self.publish()
        self.streams[id]?.isOpen = true
        let first = stream.subscription.index ?? 0
        let replayed = self.server.events.suffix(while: { $0.index >= first })
        self.streams[id]?.lines = (replayed.isEmpty ? Array(self.server.events.suffix(1)) : replayed).map(\.line)
        self.perform(self.follower.streamOpened(id, at: self.now))
    }

    mutating func end(_ id: NomadRequestID, _ failure: NomadFailure? = nil) {
        self.streams[id] = nil
        self.perform(self.follower.streamEnded(id, failure, at: self.now))
    }

    mutating func hear(_ id: NomadRequestID) throws {
        guard let line = self.streams[id]?.lines.first else { return }
        self.streams[id]?.lines.removeFirst()
        let events = try NomadEvents.line(ByteBuffer(string: line))
        self.perform(self.follower.heard(id, events, at: self.now))
    }

    // MARK: - Together

    /// Everything arrives, in the order in which it was sent, until nothing is left but to wait.
    mutating func flow() throws {
        var isMoving = true
        while isMoving {
            isMoving = false
            self.publish()
            for id in self.streams.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
                if self.streams[id]?.isOpen == false {
                    self.open(id)
                    isMoving = true
                }
                while !(self.streams[id]?.lines.isEmpty ?? true) {
                    try self.hear(id)
                    isMoving = true
                }
            }
            var place = 0
            while place < self.questions.count {
                if self.process(place) { isMoving = true } else { place += 1 }
            }
            while !self.answers.isEmpty {
                self.arrive(0)
                isMoving = true
            }
        }
    }

    /// As `flow`, for so long.
    mutating func flow(for time: Duration) throws {
        let end = self.now + time
        try self.flow()
        while self.now < end {
            let deadlines = [self.follower.nextDeadline, self.questions.map(\.deadline).min()].compactMap(\.self)
            self.now = min(end, max(self.now + .milliseconds(1), deadlines.min() ?? end))
            self.perform(self.follower.advance(to: self.now))
            try self.flow()
        }
    }
}

extension Array {
    /// The last elements, back to the first one that is not meant.
    fileprivate func suffix(while isMeant: (Element) -> Bool) -> [Element] {
        let start = self.lastIndex { !isMeant($0) }.map { $0 + 1 } ?? 0
        return Array(self[start...])
    }
}

extension NomadRig {
    /// A server with two instances of web, and one of api elsewhere.
    static func filled(
        _ configuration: NomadConfiguration = NomadConfiguration(wait: .seconds(60)),
        known: [ServiceName: Service] = [:]
    ) -> NomadRig {
        var rig = NomadRig(configuration, known: known)
        rig.server.setNode("n1")
        for number in 1...3 { rig.server.set(number, .init(deployment: "d1")) }
        rig.server.set("d1", .init())
        rig.server.register(.init(service: "web", namespace: "default", allocation: 1, tags: ["v1"]))
        rig.server.register(.init(service: "web", namespace: "default", allocation: 2))
        rig.server.register(.init(service: "api", namespace: "team-a", allocation: 3))
        return rig
    }
}
