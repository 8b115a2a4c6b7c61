// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI

extension ConsulQuery {
    /// One for each service, if it is about several; nil: it is one request.
    var probes: [APIRequest]? {
        guard case .probes(let names) = self.subject else { return nil }
        return names.map { name in
            var query = self
            query.subject = .probes([name])
            return query.request(filter: nil)
        }
    }

    /// That waits for one of the services.
    func waiting(for question: APIMultiplex.Question) -> APIRequest {
        var query = self
        query.subject = .service(question.key)
        query.index = question.index
        return query.request(filter: Self.nobodyFilter)
    }

    /// Whether what checks print is in the answer.
    private var hasChecks: Bool {
        switch self.subject {
        case .checks, .passing, .service: true
        default: false
        }
    }

    /// A tag that nobody has: the answer is an empty list, and the index is the service's own.
    private static let nobody = "~"
    /// The same for a question that waits: by a tag it would not be woken by a check.
    private static let nobodyFilter = "Service.Service == \"\""
    /// Of what a node has, nothing.
    private static let nobodyOfNodeFilter = "Service == \"\""
    private static let patience = Duration.seconds(30)

    /// - Parameter filter: of a service's instances.
    func request(filter: String?) -> APIRequest {
        var query: [APIRequest.Parameter] = ["consistent"]
        if let datacenter = self.datacenter { query.append(.init("dc", datacenter)) }
        var deadline = Self.patience
        if let index = self.index {
            query.append(.init("index", String(index)))
            query.append(.init("wait", "\(self.wait.components.seconds)s"))
            deadline = self.longest + .seconds(6)
        }
        var path: String
        var isScoped = true
        switch self.subject {
        case .servers:
            path = "/v1/catalog/service/\(ConsulSelection.consul)"
            deadline = ConsulLink.patience
            isScoped = false
        case .server(let node):
            path = "/v1/catalog/node/" + node
            query.append(.init("filter", "Service == \"\(ConsulSelection.consul)\""))
            deadline = ConsulLink.patience
            isScoped = false
        case .services: path = "/v1/catalog/services"
        case .nodes: path = "/v1/catalog/nodes"
        case .checks(let state): path = "/v1/health/state/\(state.rawValue)"
        case .passing: path = "/v1/health/state/passing"
        case .service(let name):
            path = "/v1/health/service/" + name
            if let filter { query.append(.init("filter", filter)) }
        case .probes(let names):
            path = "/v1/health/service/" + (names.first ?? "")
            query.append(.init("tag", Self.nobody))
        case .capacity, .indexes: path = ""
        case .entries(let kind): path = "/v1/config/\(kind)"
        case .keys(let prefix):
            path = "/v1/kv/" + prefix
            query.append("recurse")
        case .key(let key): path = "/v1/kv/" + key
        case .entry(let key): path = "/v1/config/\(key)"
        case .instances(let name): path = "/v1/catalog/service/" + name
        case .unreadable(let node):
            path = "/v1/catalog/node/" + node
            query.append(.init("filter", Self.nobodyOfNodeFilter))
        case .agent:
            path = "/v1/agent/self"
            query = []
            isScoped = false
        }
        if isScoped {
            if let namespace = self.scope.namespace { query.append(.init("ns", namespace)) }
            if let partition = self.scope.partition { query.append(.init("partition", partition)) }
        }
        return APIRequest(.get, path, query: query, deadline: deadline, omittedKey: self.hasChecks ? "Output" : nil)
    }
}
