// SPDX-License-Identifier: Apache-2.0

import AsyncAlgorithms
package import Catalog
package import HashiCorpAPI
package import Logging

/// Tells the services that are registered with Nomad itself, and what Nomad knows of its allocations.
package final class NomadSource: Sendable {
    private enum Input: Sendable {
        case timer
        case answered(NomadRequestID, Result<NomadAnswer, NomadFailure>)
        case streamOpened(NomadRequestID)
        case heard(NomadRequestID, NomadEvents)
        case streamEnded(NomadRequestID, NomadFailure?)
        case accepted
        case tokenFileReplaced
        case files(CredentialFiles)
        case version(String)
    }

    private let configuration: NomadConfiguration
    private let agent: APIConfiguration
    private let logger: Logger
    private let acceptances: AsyncStream<Void>
    private let acceptance: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - agent: how to reach it; the number of connections is ours to say.
    package init(configuration: NomadConfiguration, agent: APIConfiguration, logger: Logger) {
        self.configuration = configuration
        self.agent = agent
        self.logger = logger
        (self.acceptances, self.acceptance) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes the operator's word that what the token may not see any more is gone.
    package func accept() {
        self.acceptance.yield()
    }

    /// Tells until the task is cancelled. While `deliver` works, changes gather; for so long that Nomad gives up an event
    /// stream that is not read, if need be.
    ///
    /// - Parameter known: services that it told before this process, and are in force, each with its healthy instances.
    package func run(knowing known: [ServiceName: Set<InstanceID>] = [:], _ deliver: (NomadReport) async -> Void) async
    {
        var agent = self.agent
        agent.product = .nomad
        agent.maximumConnections = NomadConfiguration.maximumConnections
        let client = APIClient(agent)
        let metrics = SourceMetrics(.nomad, reasons: NomadFailure.reasons)
        let exchange = NomadExchange(client: client, region: self.configuration.region, metrics: metrics)
        await self.follow(exchange, knowing: known, deliver)
        await client.shutdown()
    }

    private func follow(
        _ exchange: NomadExchange,
        knowing known: [ServiceName: Set<InstanceID>],
        _ deliver: (NomadReport) async -> Void
    ) async {
        let metrics = exchange.metrics
        let inputs = AsyncChannel<Input>()
        let (rings, bell) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let clock = ContinuousClock()
        let start = clock.now
        var alarm = Alarm { bell.yield() }
        var follower = NomadFollower(self.configuration, known: known, seed: .random(in: 0...UInt64.max))
        var explanation = StatusExplanation(self.agent)
        await withDiscardingTaskGroup { group in
            group.addTask {
                for await _ in rings { await inputs.send(.timer) }
            }
            group.addTask {
                for await _ in self.acceptances { await inputs.send(.accepted) }
            }
            if let file = NomadTokenFile(of: self.agent) {
                group.addTask { await file.watch { await inputs.send(.tokenFileReplaced) } }
            }
            if CredentialFilesWatch.isNeeded(by: self.agent) {
                group.addTask { await CredentialFilesWatch.run(exchange.client) { await inputs.send(.files($0)) } }
            }
            group.addTask { await exchange.watchVersion { await inputs.send(.version($0)) } }
            var ends: [NomadRequestID: AsyncStream<Void>.Continuation] = [:]
            var actions = follower.advance(to: .zero)
            var iterator = inputs.makeAsyncIterator()
            while !Task.isCancelled {
                for action in actions {
                    switch action {
                    case .send(let id, let question):
                        let (end, continuation) = AsyncStream<Void>.makeStream()
                        if question.mayBeCancelled { ends[id] = continuation }
                        group.addTask {
                            guard let result = await exchange.ask(question, unless: end) else { return }
                            await inputs.send(.answered(id, result))
                        }
                    case .subscribe(let id, let subscription):
                        let (end, continuation) = AsyncStream<Void>.makeStream()
                        ends[id] = continuation
                        group.addTask { await self.listen(id, subscription, exchange, inputs, until: end) }
                    case .cancel(let id): ends.removeValue(forKey: id)?.finish()
                    case .deliver(let report): await deliver(explanation.told(report))
                    case .note(let note):
                        metrics.count(note)
                        self.log(note)
                    }
                }
                metrics.record(follower.figures)
                alarm.set(follower.nextDeadline, at: clock.now - start)
                guard let input = await iterator.next() else { break }
                let now = clock.now - start
                switch input {
                case .timer:
                    alarm.rang()
                    actions = follower.advance(to: now)
                case .answered(let id, let result):
                    ends[id] = nil
                    actions = follower.answered(id, result, at: now)
                case .streamOpened(let id): actions = follower.streamOpened(id, at: now)
                case .heard(let id, let line): actions = follower.heard(id, line, at: now)
                case .streamEnded(let id, let failure):
                    ends[id] = nil
                    actions = follower.streamEnded(id, failure, at: now)
                case .accepted: actions = follower.accepted(at: now)
                case .tokenFileReplaced: actions = follower.tokenFileReplaced(at: now)
                case .version(let version):
                    actions = explanation.agent(of: version).map { [.deliver(.source($0))] } ?? []
                case .files(let files): actions = explanation.files(files).map { [.deliver(.source($0))] } ?? []
                }
            }
            group.cancelAll()
        }
        alarm.cancel()
    }

    // MARK: - Listening

    private func listen(
        _ id: NomadRequestID,
        _ subscription: NomadSubscription,
        _ exchange: NomadExchange,
        _ inputs: AsyncChannel<Input>,
        until end: AsyncStream<Void>
    ) async {
        await withTaskGroup { race in
            race.addTask { await self.listen(id, subscription, exchange, inputs) }
            race.addTask {
                for await _ in end {}
            }
            await race.next()
            race.cancelAll()
        }
    }

    private func listen(
        _ id: NomadRequestID,
        _ subscription: NomadSubscription,
        _ exchange: NomadExchange,
        _ inputs: AsyncChannel<Input>
    ) async {
        do throws(NomadFailure) {
            var lines = try await exchange.lines(of: subscription, idle: self.configuration.heartbeat * 2)
            await inputs.send(.streamOpened(id))
            while let line = try await lines.next() { await inputs.send(.heard(id, line)) }
            await inputs.send(.streamEnded(id, nil))
        } catch {
            await inputs.send(.streamEnded(id, error))
        }
    }

    // MARK: - Logging

    private func log(_ note: NomadNote) {
        let metadata: Logger.Metadata = ["source": "nomad"]
        switch note {
        case .streamOpened: self.logger.debug("event stream opened", metadata: metadata)
        case .streamEnded(let why): self.logger.debug("event stream ended", metadata: metadata + ["problem": "\(why)"])
        case .streamRefused(let why):
            self.logger.warning("event stream refused, asking instead", metadata: metadata + ["problem": "\(why)"])
        case .eventsMissed: self.logger.debug("a change without an event, reading everything", metadata: metadata)
        case .indexDoubted: self.logger.debug("index lower than before, asking again", metadata: metadata)
        case .indexFell: self.logger.warning("index fell, reading everything", metadata: metadata)
        case .unreadable(let count, let first):
            let details: Logger.Metadata = ["count": "\(count)", "problem": "\(first)"]
            self.logger.warning("rows cannot be read and are left out", metadata: metadata + details)
        }
    }
}

extension SourceMetrics {
    fileprivate func count(_ note: NomadNote) {
        switch note {
        case .indexDoubted: self.count(.indexRegression)
        case .indexFell, .eventsMissed, .streamOpened: self.count(.resynchronization)
        case .streamEnded, .streamRefused, .unreadable: break
        }
    }
}

extension Logger.Metadata {
    fileprivate static func + (left: Self, right: Self) -> Self { left.merging(right) { $1 } }
}
