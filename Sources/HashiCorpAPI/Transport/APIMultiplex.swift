// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOSSL
import Synchronization

/// Asks many questions that wait for a long time, on few connections: with HTTP/2 (RFC 9113) a connection takes some
/// hundred at a time. Only the index of each answer matters.
///
/// An agent speaks HTTP/2 where it has TLS. The connections are its own, one for each group of questions.
package final class APIMultiplex: Sendable {
    /// A question that waits.
    package struct Question: Hashable, Sendable {
        /// What it is about: there is one at a time about each.
        package var key: String
        /// That the answer is to be beyond.
        package var index: UInt64

        package init(key: String, index: UInt64) {
            self.key = key
            self.index = index
        }
    }

    /// How many may wait on a connection, whatever the agent allows.
    package static let maximumQuestions = 1000

    private let client: APIClient
    private let channels = Mutex<(open: [String: any Channel], isShutDown: Bool)>(([:], false))

    /// - Parameter client: whose address and token are used.
    package init(_ client: APIClient) {
        self.client = client
    }

    /// Makes the connection of a group; one that it had is closed.
    ///
    /// - Returns: how many questions it takes at a time; 0: HTTP/2 is not spoken there.
    package func open(_ group: String) async throws(APIError) -> Int {
        do {
            self.channels.withLock { $0.open.removeValue(forKey: group) }?.close(promise: nil)
            let (channel, opened) = try await self.connect()
            do {
                return try await self.settle(channel, opened, group)
            } catch {
                channel.close(promise: nil)
                throw error
            }
        } catch {
            throw self.client.failure(error, limit: MultiplexedQuestions.maximumBytes)
        }
    }

    private func settle(_ channel: any Channel, _ opened: EventLoopFuture<Int>, _ group: String) async throws -> Int {
        let capacity = try await withTaskCancellationHandler {
            try await opened.get()
        } onCancel: {
            channel.close(promise: nil)
        }
        try Task.checkCancellation()
        guard capacity > 0 else {
            channel.close(promise: nil)
            return 0
        }
        let (isKept, replaced) = self.channels.withLock { state -> (Bool, (any Channel)?) in
            guard !state.isShutDown, channel.isActive else { return (false, nil) }
            return (true, state.open.updateValue(channel, forKey: group))
        }
        replaced?.close(promise: nil)
        guard isKept else { throw ChannelError.eof }
        return capacity
    }

    /// Waits until one of the questions is answered. Those that were put before and not answered go on waiting; of those that
    /// are asked for no more, the answers are dropped. If another call takes its place, it ends with no answer; if the task
    /// is cancelled, the connection is closed.
    ///
    /// - Parameter request: what to send for a question that was not put yet.
    /// - Returns: the index of each answer since the last call; nil: it is refused.
    package func answers(
        to questions: [Question],
        in group: String,
        request: @escaping @Sendable (Question) -> APIRequest
    ) async throws(APIError) -> [String: UInt64?] {
        let channel = self.channels.withLock { $0.open[group] }
        do {
            guard let channel else { throw ChannelError.eof }
            let promise = channel.eventLoop.makePromise(of: APIMultiplexHandler.Answers.self)
            let batch = APIMultiplexHandler.Batch(
                questions: questions,
                heads: { [client] in try client.multiplexHeaders(request($0)) },
                lifetime: request(Question(key: "", index: 0)).deadline,
                promise: promise
            )
            let answers = try await withTaskCancellationHandler {
                channel.triggerUserOutboundEvent(batch).whenFailure { promise.fail($0) }
                return try await promise.futureResult.get()
            } onCancel: {
                channel.close(promise: nil)
            }
            return self.indexes(of: answers)
        } catch {
            if let channel { self.close(group, channel) }
            throw self.client.failure(error, limit: MultiplexedQuestions.maximumBytes)
        }
    }

    private func indexes(of answers: APIMultiplexHandler.Answers) -> [String: UInt64?] {
        var statuses: Set<Int> = []
        let indexes = answers.mapValues { answer -> UInt64? in
            switch answer {
            case .index(let index): return index
            case .refused(let status):
                if let status { statuses.insert(status) }
                return nil
            }
        }
        for status in statuses { self.client.noteStatus(UInt(status)) }
        return indexes
    }

    /// Closes all. What waits fails.
    package func shutdown() {
        let channels = self.channels.withLock { state in
            defer { state = ([:], true) }
            return state.open.values
        }
        for channel in channels { channel.close(promise: nil) }
    }

    /// Closes the connection. Another one that the group has by now stays.
    private func close(_ group: String, _ channel: any Channel) {
        self.channels.withLock { state in
            if state.open[group] === channel { state.open[group] = nil }
        }
        channel.close(promise: nil)
    }

    /// The future tells how many questions the other side allows, or 0 if it does not choose HTTP/2.
    private func connect() async throws -> (any Channel, EventLoopFuture<Int>) {
        guard let tls = try self.client.tls(for: ["h2"]) else {
            throw APIError(.invalid, "HTTP/2 is spoken with TLS only")
        }
        let product = self.client.configuration.product
        return try await self.client.connect { channel in
            let handler = try NIOSSLClientHandler(context: tls.context, serverHostname: tls.name)
            try channel.pipeline.syncOperations.addHandler(handler)
            return try APIMultiplexHandler.add(to: channel, of: product)
        }
    }
}
