// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI

/// What Nomad keeps, each under an index of its own.
enum NomadTable: String, Hashable, Sendable, CaseIterable {
    case allocations
    case deployments
    case nodes
    case services
}

/// One service of one namespace.
struct NomadServiceKey: Hashable, Sendable, Comparable {
    var namespace: String
    var name: String

    static func < (left: Self, right: Self) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}

/// Something that is asked of Nomad. See https://developer.hashicorp.com/nomad/api-docs
enum NomadQuestion: Hashable, Sendable {
    /// All rows of a table, or the page of them that starts at `token`. Services come all at once, by name only.
    case page(NomadTable, namespace: String, token: String?)
    /// Whether a table has changed: answered with as little of it as can be.
    case watch(NomadTable, namespace: String, index: UInt64?, wait: Duration?, deadline: Duration)
    case service(NomadServiceKey)
    /// Which services there are in one namespace: 403 if the token may not see it, which a list of all does not tell.
    case visibility(namespace: String)
    case checks(allocation: String)

    /// Whether its answer may become uninteresting.
    var mayBeCancelled: Bool {
        switch self {
        case .watch, .checks: true
        case .page, .service, .visibility: false
        }
    }

    /// What a token needs for all but nodes.
    static let readJob = "read-job in the namespaces followed"
    static let readNode = "node:read"

    /// What a token needs for it.
    var right: String {
        func readJob(_ namespace: String) -> String {
            namespace == NomadConfiguration.allNamespaces ? Self.readJob : "read-job in the namespace \(namespace)"
        }
        return switch self {
        case .page(.nodes, _, _), .watch(.nodes, _, _, _, _): Self.readNode
        case .page(_, let namespace, _), .watch(_, let namespace, _, _, _), .visibility(let namespace):
            readJob(namespace)
        case .service(let key): readJob(key.namespace)
        case .checks: Self.readJob
        }
    }

    static let pageSize = 2000
    static let deadline = Duration.seconds(30)

    func request(region: String?) -> APIRequest {
        var query: [APIRequest.Parameter] = []
        var deadline = Self.deadline
        let path: String
        switch self {
        case .page(let table, let namespace, let token):
            path = "/v1/\(table.rawValue)"
            query = Self.parameters(of: table, namespace: namespace)
            if table != .services { query.append(.init("per_page", "\(Self.pageSize)")) }
            if let token { query.append(.init("next_token", token)) }
        case .watch(let table, let namespace, let index, let wait, let limit):
            path = "/v1/\(table.rawValue)"
            query = Self.parameters(of: table, namespace: namespace)
            if table != .services { query.append(.init("per_page", "1")) }
            if let index { query.append(.init("index", "\(index)")) }
            if let wait { query.append(.init("wait", "\(wait.components.seconds)s")) }
            deadline = limit
        case .service(let key):
            path = "/v1/service/\(key.name)"
            query = [.init("namespace", key.namespace)]
        case .visibility(let namespace):
            path = "/v1/services"
            query = [.init("namespace", namespace)]
        case .checks(let allocation):
            // Known by this path since there are checks (1.4).
            path = "/v1/client/allocation/\(allocation)/checks"
            deadline = NomadChecks.deadline
        }
        if let region { query.append(.init("region", region)) }
        return APIRequest(.get, path, query: query, deadline: deadline)
    }

    private static func parameters(of table: NomadTable, namespace: String) -> [APIRequest.Parameter] {
        switch table {
        case .allocations: [.init("namespace", namespace), .init("task_states", "false")]
        case .deployments, .services: [.init("namespace", namespace)]
        case .nodes: []
        }
    }
}

/// A subscription to what happens. See https://developer.hashicorp.com/nomad/api-docs/events
struct NomadSubscription: Hashable, Sendable {
    /// One line may be all that a plan did.
    static let maximumLineBytes = 16 * 1024 * 1024
    static let deadline = Duration.seconds(10)

    var namespace: String
    var hasNodes: Bool
    /// Of two that are needed, nothing says which is missing. Without nodes it is tried again at once.
    var right: String { NomadQuestion.readJob + (self.hasNodes ? " or \(NomadQuestion.readNode)" : "") }
    /// Of the first change wanted; nil: whatever the server remembers.
    var index: UInt64?

    func request(region: String?) -> APIRequest {
        let topics = ["Allocation", "Deployment", "Service"] + (self.hasNodes ? ["Node"] : [])
        var query = topics.map { APIRequest.Parameter("topic", "\($0):*") }
        query += [.init("namespace", self.namespace), .init("index", "\(self.index ?? 0)")]
        if let region { query.append(.init("region", region)) }
        return APIRequest(
            .get,
            "/v1/event/stream",
            query: query,
            deadline: Self.deadline,
            maximumBytes: Self.maximumLineBytes
        )
    }
}
