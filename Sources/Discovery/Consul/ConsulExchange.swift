// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI

/// Asks an agent.
struct ConsulExchange: Sendable {
    let client: APIClient
    let pipeline: APIPipeline
    let reader: ConsulReader
    let filter: String?
    let login: ConsulLoginSession?
    let metrics: ConsulMetrics

    func ask(_ query: ConsulQuery) async -> Result<ConsulAnswer, ConsulFailure> {
        do throws(ConsulFailure) {
            if query.isOfLink { try await self.login?.refresh() }
            if let probes = query.probes { return .success(try await self.indexes(probes)) }
            return .success(try await self.answer(to: query))
        } catch {
            self.metrics.failed(error.reason)
            return .failure(error)
        }
    }

    private func indexes(_ probes: [APIRequest]) async throws(ConsulFailure) -> ConsulAnswer {
        do {
            let indexes = try await self.pipeline.indexes(of: probes, deadline: .seconds(10))
            self.metrics.answered(200, times: indexes.count)
            return ConsulAnswer(content: .probes(indexes), index: 1, bytes: 0)
        } catch {
            self.metrics.answered(error.status)
            if error.status == 403 { self.login?.refused() }
            throw ConsulFailure(error)
        }
    }

    private func answer(to query: ConsulQuery) async throws(ConsulFailure) -> ConsulAnswer {
        let response: APIResponse
        do {
            response = try await self.client.send(query.request(filter: self.filter))
        } catch {
            self.metrics.answered(nil)
            throw ConsulFailure(error)
        }
        self.metrics.answered(response.status)
        let isMissingKey = response.status == 404 && query.isOfKeys && response.index != nil
        guard response.status == 200 || isMissingKey else {
            if response.status == 403 { self.login?.refused() }
            throw ConsulFailure(APIError.unexpected(response, from: self.client.configuration))
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
                throw ConsulFailure(reason: .status, message: "Consul knows no leader")
            }
        }
        return try self.reader.read(response, to: query)
    }
}

extension ConsulQuery {
    fileprivate var isOfKeys: Bool {
        if case .keys = self.subject { true } else { false }
    }
}
