// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI

/// Asks an agent.
struct ConsulExchange: Sendable {
    let client: APIClient
    let pipeline: APIPipeline
    let multiplex: APIMultiplex
    let reader: ConsulReader
    let filter: String?
    let login: ConsulLoginSession?
    let metrics: SourceMetrics

    func ask(_ query: ConsulQuery) async -> Result<ConsulAnswer, ConsulFailure> {
        do throws(ConsulFailure) {
            if query.isOfLink || query.subject == .agent { try await self.login?.refresh() }
            if let probes = query.probes { return .success(try await self.indexes(probes)) }
            switch query.subject {
            case .capacity(let group): return .success(try await self.open(group, query))
            case .indexes(let indexes, let group): return .success(try await self.wait(for: indexes, group, query))
            default: return .success(try await self.answer(to: query))
            }
        } catch {
            self.metrics.failed(error.reason.rawValue)
            return .failure(error)
        }
    }

    private func indexes(_ probes: [APIRequest]) async throws(ConsulFailure) -> ConsulAnswer {
        let generation = self.login?.generation ?? 0
        do {
            let indexes = try await self.pipeline.indexes(of: probes, deadline: .seconds(10))
            self.metrics.answered(200, times: indexes.count)
            return ConsulAnswer(content: .probes(indexes.map(ConsulAnswer.counted)), index: 1, bytes: 0)
        } catch {
            self.metrics.answered(error.status)
            self.noteRefusal(error, of: generation)
            throw ConsulFailure(error)
        }
    }

    private func open(_ group: Int, _ query: ConsulQuery) async throws(ConsulFailure) -> ConsulAnswer {
        do {
            let capacity = try await self.multiplex.open(Self.connection(group, query))
            return ConsulAnswer(content: .capacity(capacity), index: 1, bytes: 0)
        } catch {
            self.metrics.answered(error.status)
            throw ConsulFailure(error)
        }
    }

    private func wait(
        for indexes: [String: UInt64],
        _ group: Int,
        _ query: ConsulQuery
    ) async throws(ConsulFailure) -> ConsulAnswer {
        let questions = indexes.map { APIMultiplex.Question(key: $0.key, index: $0.value) }
        let connection = Self.connection(group, query)
        do {
            let answers = try await self.multiplex.answers(to: questions, in: connection, request: query.waiting)
            self.metrics.answered(200, times: answers.count)
            return ConsulAnswer(
                content: .indexes(answers.mapValues { $0.map(ConsulAnswer.counted) }),
                index: 1,
                bytes: 0
            )
        } catch {
            self.metrics.answered(error.status)
            throw ConsulFailure(error)
        }
    }

    /// Each datacenter has its own.
    private static func connection(_ group: Int, _ query: ConsulQuery) -> String {
        "\(query.datacenter ?? "")/\(group)"
    }

    /// Only a token that Consul does not know calls for another login: one that lacks a right would lack it again.
    private func noteRefusal(_ error: APIError, of generation: Int) {
        guard error.meaning == .unknownToken else { return }
        self.login?.refused(generation)
    }

    private func answer(to query: ConsulQuery) async throws(ConsulFailure) -> ConsulAnswer {
        let generation = self.login?.generation ?? 0
        let response: APIResponse
        do {
            response = try await self.client.send(query.request(filter: self.filter))
        } catch {
            self.metrics.answered(nil)
            throw ConsulFailure(error)
        }
        self.metrics.answered(response.status)
        let isMissing = response.status == 404 && query.mayBeMissing && response.index != nil
        // There is no such name.
        if query.isOfPresence, [301, 400].contains(response.status) {
            return ConsulAnswer(content: .presence(false), index: 1, bytes: 0)
        }
        guard response.status == 200 || isMissing else {
            let error = APIError.unexpected(response, from: self.client.configuration)
            self.noteRefusal(error, of: generation)
            throw ConsulFailure(error)
        }
        if query.subject != .agent {
            // Consul says so in every answer; what does not is something else that listens there.
            guard response.index != nil else {
                throw ConsulFailure(
                    reason: .decoding,
                    message: "the answer of \(self.client.configuration.address) has no index; is that Consul?"
                )
            }
            guard response.knownLeader != false else {
                throw ConsulFailure(APIError(.status, "Consul knows no leader", meaning: .noLeader))
            }
        }
        var answer = try self.reader.read(response, to: query)
        if query.isOfLink { answer.token = self.client.tokenGeneration }
        return answer
    }
}

extension ConsulQuery {
    /// Whether 404 is an answer.
    fileprivate var mayBeMissing: Bool {
        if case .keys = self.subject { true } else { self.isOfPresence }
    }

    fileprivate var isOfPresence: Bool {
        switch self.subject {
        case .key, .entry: true
        default: false
        }
    }
}
