// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI

/// Asks an agent, and counts that.
struct NomadExchange: Sendable {
    /// The events of a stream, as they come.
    struct Lines {
        fileprivate var lines: LineStream.AsyncIterator
        fileprivate let exchange: NomadExchange

        /// Nil: the server ended it.
        mutating func next() async throws(NomadFailure) -> NomadEvents? {
            do throws(APIError) {
                guard let line = try await self.lines.next() else { return nil }
                return try NomadEvents.line(line, to: self.exchange.client)
            } catch {
                throw self.exchange.failed(NomadFailure(error))
            }
        }
    }

    let client: APIClient
    let region: String?
    let metrics: SourceMetrics

    /// Nil: it ended before there was an answer.
    func ask(
        _ question: NomadQuestion,
        unless end: AsyncStream<Void>
    ) async -> Result<NomadAnswer, NomadFailure>? {
        guard question.mayBeCancelled else { return await self.ask(question) }
        return await withTaskGroup(of: Result<NomadAnswer, NomadFailure>?.self) { race in
            race.addTask { await self.ask(question) }
            race.addTask {
                for await _ in end {}
                return nil
            }
            let first = await race.next() ?? nil
            race.cancelAll()
            return first
        }
    }

    private func ask(_ question: NomadQuestion) async -> Result<NomadAnswer, NomadFailure> {
        do throws(APIError) {
            let response = try await self.client.send(question.request(region: self.region))
            self.metrics.answered(response.status)
            let token = self.client.tokenGeneration
            return Result { () throws(NomadFailure) in try NomadAnswer(response, to: question, token: token) }
                .mapError { self.failed($0) }
        } catch {
            if error.kind != .cancelled { self.metrics.answered(nil) }
            return .failure(self.failed(NomadFailure(error)))
        }
    }

    /// - Parameter idle: the stream fails if nothing comes for so long.
    func lines(of subscription: NomadSubscription, idle: Duration) async throws(NomadFailure) -> Lines {
        do throws(APIError) {
            let lines = try await self.client.stream(subscription.request(region: self.region), idle: idle)
            self.metrics.answered(200)
            return Lines(lines: lines.makeAsyncIterator(), exchange: self)
        } catch {
            if error.kind != .cancelled { self.metrics.answered(error.status) }
            throw self.failed(NomadFailure(error, right: subscription.right))
        }
    }

    /// Which version the agent has, again and again until the task is cancelled: it may be another one after a restart. One that
    /// does not say, as a token need not have agent:read, goes without.
    func watchVersion(_ tell: (String) async -> Void) async {
        while !Task.isCancelled {
            let response = try? await self.client.send(APIRequest(.get, "/v1/agent/self"))
            if let response, response.status == 200, let agent = try? response.value(of: NomadAgent.self) {
                let isMarked = !agent.isEnterprise || agent.version.contains("+")
                await tell(isMarked ? agent.version : agent.version + "+ent")
            }
            try? await Task.sleep(for: response == nil ? .seconds(10) : .seconds(300))
        }
    }

    private func failed(_ failure: NomadFailure) -> NomadFailure {
        // Whoever ended a request is no failure of Nomad.
        if failure.error?.kind != .cancelled { self.metrics.failed(failure.reason) }
        guard failure.reason == "region", let region = self.region else { return failure }
        var failure = failure
        failure.text = "of the region \"\(region)\", \(failure.text)"
        return failure
    }
}
