// SPDX-License-Identifier: Apache-2.0

package import Catalog
package import HashiCorpAPI
package import Logging
import NIOCore
import NIOPosix

/// Follows a Consul catalog, on few connections, and tells what changes in it.
package final class ConsulSource: Sendable {
    private let configuration: ConsulConfiguration
    private let agent: APIConfiguration
    private let logger: Logger
    private let acceptances: AsyncStream<Void>
    private let acceptance: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - agent: how to reach it; the number of connections is ours to say.
    package init(configuration: ConsulConfiguration, agent: APIConfiguration, logger: Logger) {
        self.configuration = configuration
        self.agent = agent
        self.logger = logger
        (self.acceptances, self.acceptance) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    private enum Event: Sendable {
        case accepted
        case ended(ConsulRequestID, Result<ConsulAnswer, ConsulFailure>)
        case timer
        case files(CredentialFiles)
    }

    /// Takes the operator's word that what the token may not read any more is gone.
    package func accept() {
        self.acceptance.yield()
    }

    /// Tells until the task is cancelled. While `deliver` works, changes gather.
    ///
    /// - Parameter known: what stands in until it is heard.
    package func run(knowing known: KnownWord = KnownWord(), _ deliver: (SourceEvent) async -> Void) async {
        var agent = self.agent
        agent.product = .consul
        agent.maximumConnections = ConsulConfiguration.maximumConnections - ConsulFollower.probers
        agent.maximumBytesUnderWay = ConsulConfiguration.maximumBytesUnderWay
        agent.maximumBytesOfLarge = ConsulConfiguration.maximumBytesOfLarge
        let client = APIClient(agent)
        var anonymous = agent
        anonymous.token = .none
        anonymous.maximumConnections = 1
        let doorkeeper = APIClient(anonymous)
        let login = self.configuration.login.map {
            ConsulLoginSession($0, client: client, anonymous: doorkeeper, logger: self.logger)
        }
        let metrics = SourceMetrics(.consul, reasons: ConsulFailure.Reason.allCases.map(\.rawValue))
        let pipeline = APIPipeline(client, maximumConnections: ConsulFollower.probers)
        let multiplex = APIMultiplex(client)
        let exchange = ConsulExchange(
            client: client,
            pipeline: pipeline,
            multiplex: multiplex,
            reader: ConsulReader(self.configuration),
            filter: self.configuration.filter,
            login: login,
            metrics: metrics
        )
        await self.follow(exchange, metrics, known, deliver)
        pipeline.shutdown()
        multiplex.shutdown()
        await client.shutdown()
        await Self.uncancelled { await login?.end() }
        await doorkeeper.shutdown()
    }

    private func follow(
        _ exchange: ConsulExchange,
        _ metrics: SourceMetrics,
        _ known: KnownWord,
        _ deliver: (SourceEvent) async -> Void
    ) async {
        let (events, feed) = AsyncStream<Event>.makeStream()
        let clock = ContinuousClock()
        let start = clock.now
        var alarm = Alarm { feed.yield(.timer) }
        var follower = ConsulFollower(
            self.configuration,
            knowing: known,
            multiplexes: self.agent.address.isTLS,
            seed: .random(in: 0...UInt64.max)
        )
        var explanation = StatusExplanation(self.agent)
        await withDiscardingTaskGroup { group in
            group.addTask {
                for await _ in self.acceptances { feed.yield(.accepted) }
            }
            if CredentialFilesWatch.isNeeded(by: self.agent) {
                group.addTask { await CredentialFilesWatch.run(exchange.client) { feed.yield(.files($0)) } }
            }
            var ends: [ConsulRequestID: AsyncStream<Void>.Continuation] = [:]
            var actions = follower.timePassed(at: .zero)
            var iterator = events.makeAsyncIterator()
            while !Task.isCancelled {
                for action in actions {
                    switch action {
                    case .send(let id, let query):
                        let (end, continuation) = AsyncStream<Void>.makeStream()
                        ends[id] = continuation
                        group.addTask {
                            guard let result = await Self.ask(query, exchange, unless: end) else { return }
                            feed.yield(.ended(id, result))
                        }
                    case .cancel(let id): ends.removeValue(forKey: id)?.finish()
                    case .deliver(let event): await deliver(explanation.told(event))
                    case .count(let event): metrics.count(event)
                    }
                }
                metrics.record(follower.figures)
                let time = clock.now - start
                alarm.set(follower.deadline(at: time), at: time)
                guard let event = await iterator.next() else { break }
                let now = clock.now - start
                switch event {
                case .accepted: actions = follower.accepted(at: now)
                case .timer:
                    alarm.rang()
                    actions = follower.timePassed(at: now)
                case .files(let files): actions = explanation.files(files).map { [.deliver($0)] } ?? []
                case .ended(let id, .success(let answer)):
                    ends[id] = nil
                    var again: [ConsulAction] = []
                    if case .agent(let agent) = answer.content, let event = explanation.agent(of: agent.version) {
                        again = [.deliver(event)]
                    }
                    actions = again + follower.answered(id, answer, at: now)
                case .ended(let id, .failure(let failure)):
                    ends[id] = nil
                    actions = follower.failed(id, failure, at: now)
                }
            }
            group.cancelAll()
        }
        alarm.cancel()
    }

    /// Nil: it ended before there was an answer.
    private static func ask(
        _ query: ConsulQuery,
        _ exchange: ConsulExchange,
        unless end: AsyncStream<Void>
    ) async -> Result<ConsulAnswer, ConsulFailure>? {
        await withTaskGroup(of: Result<ConsulAnswer, ConsulFailure>?.self) { race in
            race.addTask { await exchange.ask(query) }
            race.addTask {
                for await _ in end {}
                return nil
            }
            let first = await race.next() ?? nil
            race.cancelAll()
            return first
        }
    }

    /// Does what must be done though the task was cancelled, and waits for it.
    private static func uncancelled(_ work: @escaping @Sendable () async -> Void) async {
        try? await MultiThreadedEventLoopGroup.singleton.next().makeFutureWithTask(work).get()
    }
}
