// SPDX-License-Identifier: Apache-2.0

/// The questions that wait on one connection of HTTP/2 (RFC 9113), without I/O: what comes in on it goes in, actions come
/// out.
///
/// A question has a stream from when it is asked until its answer ended; one that nobody wants to know any more keeps it.
/// Those for which there is no stream are in the queue. An answer is news until a call took it; at most one call waits,
/// and each is answered or failed once. The connection opens once and ends once; what comes later is legitimately ignored,
/// and so is what comes on a stream on which nothing waits.
struct MultiplexedQuestions: Sendable {
    typealias Question = APIMultiplex.Question
    typealias StreamID = Int

    /// Somebody who wants to know what is answered.
    struct Call: Hashable, Sendable {
        var number: Int
    }

    enum Answer: Hashable, Sendable {
        case index(UInt64)
        /// By its status, if there was one.
        case refused(Int?)
    }

    enum Failure: Hashable, Sendable {
        /// There is no such connection any more, or it is not wanted here.
        case closed
        /// It was waited for in vain.
        case overdue
        /// The answer to one question.
        case tooLarge
        /// A connection has only so many streams.
        case exhausted
        /// Fewer may be asked than are to be.
        case limited(Int)
    }

    enum Action: Hashable, Sendable {
        /// Questions can be asked, so many at a time; 0: HTTP/2 is not spoken there.
        case opened(Int)
        case ask(StreamID, Question)
        case answer(Call, [String: Answer])
        case fail(Call, Failure)
        case ping
        /// So many bytes more may be sent to us.
        case refill(Int)
        /// The connection. Nothing follows.
        case close(Failure)
    }

    /// Of a question that has a stream.
    private struct Waiting {
        /// Nil: nobody wants to know any more. It waits all the same: a server that is told to stop goes on, and some count
        /// it until it would have answered.
        var key: String?
        var deadline: Duration
        var status: Int?
        var index: UInt64?
        var bytes = 0
    }

    /// Of one answer's body: it should have none to speak of.
    static let maximumBytes = 16 * 1024
    /// NIO asks no more at a time if the other side does not say how many it takes; for the protocol there is no limit.
    static let defaultLimit = 100
    static let lastStream = Int(Int32.max) - 2

    private var isOpen = false
    private var failure: Failure?
    private var call: Call?
    private var limit = Self.defaultLimit
    private var next: StreamID
    private var waiting: [StreamID: Waiting] = [:]
    /// Of what is wanted.
    private var streams: [String: StreamID] = [:]
    private var queue: [Question] = []
    /// How long one may wait for its answer.
    private var lifetime = Duration.zero
    /// Nobody was told of these yet.
    private var news: [String: Answer] = [:]
    private var isPinged = false
    private var window = MultiplexWindow()

    /// - Parameter next: the first stream.
    init(next: StreamID = 1) {
        self.next = next
    }

    // MARK: The beginning

    mutating func negotiated(isHTTP2: Bool) -> [Action] {
        guard self.failure == nil else { return [] }
        guard isHTTP2 else {
            self.isOpen = true
            return [.opened(0)] + self.end(.closed)
        }
        return [.refill(self.window.open())]
    }

    /// - Parameter limit: how many may be asked at a time; nil: as before.
    mutating func received(settings limit: Int?) -> [Action] {
        guard self.failure == nil else { return [] }
        self.limit = limit ?? self.limit
        guard self.isOpen else {
            self.isOpen = true
            return [.opened(min(self.limit, APIMultiplex.maximumQuestions))]
        }
        // Those in the queue would count as watched for good. Whoever opens another one learns how many it takes.
        let isEnough = self.streams.count + self.queue.count <= self.limit
        return isEnough ? [] : self.end(.limited(self.limit))
    }

    // MARK: What is to be asked

    /// What is to wait from now on, and who wants to know. A call that waits is answered with nothing.
    mutating func asked(_ call: Call, _ questions: [Question], lifetime: Duration, at now: Duration) -> [Action] {
        if let failure = self.failure { return [.fail(call, failure)] }
        var actions: [Action] = []
        if let replaced = self.call { actions.append(.answer(replaced, [:])) }
        self.call = call
        self.lifetime = lifetime
        let wanted = Set(questions.lazy.map(\.key))
        for (key, stream) in self.streams where !wanted.contains(key) {
            self.streams[key] = nil
            self.waiting[stream]?.key = nil
        }
        self.news = self.news.filter { wanted.contains($0.key) }
        self.queue = []
        for question in questions where self.streams[question.key] == nil {
            // What is known by now is no news.
            if let answer = self.news[question.key], answer != .index(question.index) { continue }
            self.news[question.key] = nil
            self.queue.append(question)
        }
        guard wanted.count <= self.limit else { return actions + self.end(.limited(self.limit)) }
        self.ask(at: now, &actions)
        self.tell(&actions)
        return actions
    }

    private mutating func ask(at now: Duration, _ actions: inout [Action]) {
        let count = min(self.limit - self.waiting.count, self.queue.count)
        guard count > 0 else { return }
        for question in self.queue.prefix(count) where self.streams[question.key] == nil {
            guard self.next <= Self.lastStream else {
                actions += self.end(.exhausted)
                return
            }
            self.streams[question.key] = self.next
            self.waiting[self.next] = Waiting(key: question.key, deadline: now + self.lifetime)
            actions.append(.ask(self.next, question))
            self.next += 2
        }
        self.queue.removeFirst(count)
    }

    private mutating func tell(_ actions: inout [Action]) {
        guard !self.news.isEmpty, let call = self.call else { return }
        actions.append(.answer(call, self.news))
        self.call = nil
        self.news = [:]
    }

    // MARK: What is answered

    mutating func received(status: String?, index: String?, on stream: StreamID) {
        // After the head of an answer there may be trailers, before it others that only inform (RFC 9110, 15.2).
        guard let waiting = self.waiting[stream], waiting.status == nil, let status = status.flatMap({ Int($0) }),
            status >= 200
        else { return }
        self.waiting[stream]?.status = status
        if status == 200 { self.waiting[stream]?.index = index.flatMap { UInt64($0) } }
    }

    mutating func received(bytes: Int, on stream: StreamID) -> [Action] {
        self.waiting[stream]?.bytes += bytes
        guard let sum = self.waiting[stream]?.bytes, sum > Self.maximumBytes else { return [] }
        return self.end(.tooLarge)
    }

    /// The answer is complete, or there will be no more of it. Without an index it is a refusal, whatever the reason: to
    /// put a question again that was not processed (`REFUSED_STREAM`) is left to who asks, since for whom there was no room
    /// there would be none now, either. An index in the head of an answer that broke off is an index.
    mutating func ended(_ stream: StreamID) {
        guard let waiting = self.waiting.removeValue(forKey: stream), let key = waiting.key else { return }
        self.streams[key] = nil
        self.news[key] = waiting.index.map { .index($0) } ?? .refused(waiting.status)
    }

    /// All that there was to read was read.
    mutating func readCompleted(at now: Duration) -> [Action] {
        var actions: [Action] = []
        self.ask(at: now, &actions)
        self.tell(&actions)
        return actions
    }

    /// - Parameter size: what the other side may send.
    mutating func windowChanged(to size: Int) -> [Action] {
        guard let missing = self.window.changed(to: size), self.failure == nil else { return [] }
        return [.refill(missing)]
    }

    mutating func ponged() {
        self.isPinged = false
    }

    // MARK: The end

    /// What stands on the way may have forgotten a connection on which nothing happened for long.
    mutating func pingIsDue(at now: Duration) -> [Action] {
        guard self.failure == nil else { return [] }
        guard !self.isPinged, !self.waiting.values.contains(where: { $0.deadline < now }) else {
            return self.end(.overdue)
        }
        self.isPinged = true
        return [.ping]
    }

    /// The time that a connection has to open.
    mutating func openingTimePassed() -> [Action] { self.isOpen ? [] : self.end(.overdue) }

    /// It failed, or the other side closed it or takes no more (`GOAWAY`): some questions may go on there, up to its last
    /// stream, but others cannot be asked. All can be asked once more on another one.
    mutating func lost() -> [Action] { self.end(.closed) }

    /// News are told first: who has more to wait for learns of the end by the next call.
    private mutating func end(_ failure: Failure) -> [Action] {
        guard self.failure == nil else { return [] }
        self.failure = failure
        var actions: [Action] = []
        self.tell(&actions)
        if let call = self.call { actions.append(.fail(call, failure)) }
        (self.waiting, self.streams, self.queue) = ([:], [:], [])
        actions.append(.close(failure))
        return actions
    }
}
