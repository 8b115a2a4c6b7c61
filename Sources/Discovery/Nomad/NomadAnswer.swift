// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

/// What Nomad said to a question.
struct NomadAnswer: Sendable {
    enum Content: Sendable {
        case allocations([NomadAllocation])
        case deployments([NomadDeployment])
        case nodes([NomadNode])
        case names([NomadServiceList])
        case registrations([NomadServiceRegistration])
        case checks([NomadAllocationCheck])
        /// Of a watch: the index says it all.
        case nothing
    }

    var content: Content
    var index: UInt64?
    var knownLeader: Bool?
    var nextToken: String?
    /// Rows that could not be read.
    var unreadable = Unreadable()
    /// Which token there was when it came.
    var token = 0

    /// Those that could not be read included.
    var rowCount: Int {
        let count =
            switch self.content {
            case .allocations(let rows): rows.count
            case .deployments(let rows): rows.count
            case .nodes(let rows): rows.count
            case .names(let lists): lists.reduce(0) { $0 + $1.services.count }
            case .registrations(let rows): rows.count
            case .checks(let checks): checks.count
            case .nothing: 0
            }
        return count + self.unreadable.count
    }

    /// - Throws: the status if it is not 200; `malformed`.
    init(_ response: APIResponse, to question: NomadQuestion, token: Int = 0) throws(NomadFailure) {
        guard response.status == 200 else {
            throw NomadFailure(status: response.status, text: response.explanation, right: question.right)
        }
        self.index = response.index
        self.knownLeader = response.knownLeader
        self.nextToken = response.nextToken
        self.token = token
        self.content = .nothing
        do throws(APIError) {
            switch question {
            case .page(.allocations, _, _):
                self.content = .allocations(self.take(try response.list(of: NomadAllocation.self)))
            case .page(.deployments, _, _):
                self.content = .deployments(self.take(try response.list(of: NomadDeployment.self)))
            case .page(.nodes, _, _): self.content = .nodes(self.take(try response.list(of: NomadNode.self)))
            case .page(.services, _, _), .visibility:
                let lists = try response.list(of: NomadServiceList.self)
                // What cannot be read would seem to be gone.
                if let reason = lists.unreadable.reasons.first {
                    throw APIError(.malformed, "a list of services cannot be read: \(reason)")
                }
                self.content = .names(lists.elements)
            case .service:
                let rows = self.take(try response.list(of: NomadServiceRegistration.self))
                if rows.isEmpty, let reason = self.unreadable.reasons.first {
                    throw APIError(.malformed, "registrations cannot be read: \(reason)")
                }
                self.content = .registrations(rows)
            case .checks:
                let checks = try response.map(of: NomadAllocationCheck.self)
                self.unreadable = checks.unreadable
                self.content = .checks(Array(checks.values.values))
            case .watch: break
            }
        } catch {
            throw NomadFailure(error)
        }
    }

    private mutating func take<Element>(_ listing: Listing<Element>) -> [Element] {
        self.unreadable = listing.unreadable
        return listing.elements
    }
}

/// Why Nomad did not answer a question, or not as hoped.
struct NomadFailure: Error, Hashable, Sendable {
    /// Stable, for metrics and status: "acl", "decoding", "region", "size", "status", "tls" or "unreachable".
    var reason: String
    /// For people: what, and the cure.
    var text: String
    /// Of the answer, if there was one.
    var status: Int?
    /// Of that answer.
    var meaning: APIError.Meaning?
    /// Of no answer.
    var error: APIError?

    init(reason: String, text: String) {
        self.reason = reason
        self.text = text
    }

    /// What of the settings is at fault. That a token cannot be read says all by itself.
    var fault: SourceStatus.Fault? {
        SourceStatus.Fault(self.meaning, isOfRights: self.reason == "acl" && self.error?.kind != .token)
    }

    /// - Parameter right: that was needed; and so below.
    init(_ error: APIError, right: String = NomadQuestion.readJob) {
        if let status = error.status {
            self.init(status: status, said: error.message, meaning: error.meaning, right: right)
        } else {
            // The same words as Consul's.
            let reason =
                switch error.kind {
                case .unreachable, .timedOut, .cancelled, .invalid: "unreachable"
                case .tooLarge: "size"
                case .tls: "tls"
                case .token: "acl"
                case .malformed: "decoding"
                case .status: "status"
                }
            self.init(reason: reason, text: error.message)
        }
        self.error = error
    }

    init(status: Int, text: String, right: String = NomadQuestion.readJob) {
        self.init(
            status: status,
            said: "Nomad answers \(status) with \"\(text)\"",
            meaning: APIError.Meaning(status: status, text: text),
            right: right
        )
    }

    private init(status: Int, said: String, meaning: APIError.Meaning?, right: String) {
        switch meaning {
        // A token that Nomad does not know needs no more rights.
        case .unknownToken, .expiredToken: (self.reason, self.text) = ("acl", said)
        case .noPath:
            self.reason = "region"
            self.text = "\(said): set the region to one that GET /v1/regions names"
        case .noLeader:
            self.reason = "status"
            self.text = "\(said): that it has one again is waited for; see its servers (nomad server members)"
        case .badFilter, .unknownAuthMethod, nil:
            let isRefused = status == 401 || status == 403
            self.reason = isRefused ? "acl" : "status"
            self.text = isRefused ? "\(said): the token needs \(right)" : said
        }
        self.status = status
        self.meaning = meaning
    }

    /// A list of all namespaces without even an index: what Nomad says to those who may see none.
    /// See `listAllServiceRegistrations` in https://github.com/hashicorp/nomad/blob/main/nomad/service_registration_endpoint.go
    static let blind = NomadFailure(
        reason: "acl",
        text: "Nomad shows no namespace at all: the token needs read-job in those that are to be followed"
    )

    /// All that there are, in metrics and status.
    static let reasons = ["acl", "decoding", "region", "size", "status", "tls", "unreachable"]

    /// Whether it is what came that cannot be taken: the same would be no better.
    var isOfLine: Bool { [.tooLarge, .malformed].contains(self.error?.kind) }

    /// Whether the token may not: one that Nomad does not know says nothing of what there is.
    var isForbidden: Bool { self.status == 403 && self.meaning == nil }

    /// Whether the token is not enough, or the server does not have what was asked for: to ask again soon is no use.
    var isRefusal: Bool {
        self.status.map { [400, 401, 403, 404, 405, 501].contains($0) } ?? (self == .blind)
    }
}
