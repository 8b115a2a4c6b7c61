// SPDX-License-Identifier: Apache-2.0

/// What of an instance a filter expression looks at, by Consul's names.
/// See https://developer.hashicorp.com/consul/api-docs/health#filtering-2
package enum FilterSelector: Hashable, Sendable {
    case serviceID
    case service
    case address
    case port
    case tags
    case meta
    case metaValue(String)
    case passingWeight
    case node
    case datacenter
    case nodeMeta
    case nodeMetaValue(String)

    /// What can be asked of it.
    enum Kind {
        case text
        case number
        case words
        case mapping
    }

    enum Value {
        case text(String)
        case words(Set<String>)
        case mapping([String: String])
    }

    /// Nil if there is no such thing, or an instance does not know it.
    init?(_ path: [String]) {
        switch (path.first, path.dropFirst().first, path.count) {
        case ("Service", "ID", 2): self = .serviceID
        case ("Service", "Service", 2): self = .service
        case ("Service", "Address", 2): self = .address
        case ("Service", "Port", 2): self = .port
        case ("Service", "Tags", 2): self = .tags
        case ("Service", "Meta", 2): self = .meta
        case ("Service", "Meta", 3): self = .metaValue(path[2])
        case ("Service", "Weights", 3) where path[2] == "Passing": self = .passingWeight
        case ("Node", "Node", 2): self = .node
        case ("Node", "Datacenter", 2): self = .datacenter
        case ("Node", "Meta", 2): self = .nodeMeta
        case ("Node", "Meta", 3): self = .nodeMetaValue(path[2])
        default: return nil
        }
    }

    var kind: Kind {
        switch self {
        case .serviceID, .service, .address, .metaValue, .node, .datacenter, .nodeMetaValue: .text
        case .port, .passingWeight: .number
        case .tags: .words
        case .meta, .nodeMeta: .mapping
        }
    }

    func value(of instance: Instance, of service: ServiceName) -> Value? {
        switch self {
        case .serviceID: .text(instance.id.rawValue)
        case .service: .text(service.rawValue)
        case .address: .text(instance.address)
        case .port: .text(String(instance.port))
        case .tags: .words(instance.tags)
        case .meta: .mapping(instance.meta)
        case .metaValue(let key): instance.meta[key].map { .text($0) }
        case .passingWeight: .text(String(instance.weight.value))
        case .node: .text(instance.node)
        case .datacenter: .text(instance.datacenter)
        case .nodeMeta: .mapping(instance.nodeMeta)
        case .nodeMetaValue(let key): instance.nodeMeta[key].map { .text($0) }
        }
    }
}

extension FilterSelector: CustomStringConvertible {
    package var description: String {
        switch self {
        case .serviceID: "Service.ID"
        case .service: "Service.Service"
        case .address: "Service.Address"
        case .port: "Service.Port"
        case .tags: "Service.Tags"
        case .meta: "Service.Meta"
        case .metaValue(let key): "Service.Meta[\(key.quoted)]"
        case .passingWeight: "Service.Weights.Passing"
        case .node: "Node.Node"
        case .datacenter: "Node.Datacenter"
        case .nodeMeta: "Node.Meta"
        case .nodeMetaValue(let key): "Node.Meta[\(key.quoted)]"
        }
    }
}
