// SPDX-License-Identifier: Apache-2.0

import Catalog
import FoundationEssentials
import HashiCorpAPI
import NIOCore

/// Reads what an agent answered, by what it was asked.
struct ConsulReader: Sendable {
    private let conversion: ConsulConversion
    /// The preferred datacenter as it is asked for; the others are remote.
    private let preferred: String?

    init(_ configuration: ConsulConfiguration) {
        self.conversion = ConsulConversion(configuration)
        self.preferred = configuration.datacenters.first
    }

    func read(_ response: APIResponse, to query: ConsulQuery) throws(ConsulFailure) -> ConsulAnswer {
        do throws(APIError) {
            let content = try self.content(response, of: query)
            return ConsulAnswer(
                content: content,
                index: ConsulAnswer.counted(response.index ?? 0),
                bytes: response.body.readableBytes
            )
        } catch {
            throw ConsulFailure(error)
        }
    }

    private func content(_ response: APIResponse, of query: ConsulQuery) throws(APIError) -> ConsulAnswer.Content {
        switch query.subject {
        case .servers:
            return .servers(nodes: try response.list(of: NamedNode.self).elements.map(\.node))
        case .server:
            let node = try response.value(of: NodeServices?.self)
            return .server(isVisible: node?.services?.isEmpty == false)
        case .services:
            let names = try response.map(of: Strings.self)
            // What cannot be read would seem to be gone.
            if let reason = names.unreadable.reasons.first { throw APIError(.malformed, reason) }
            return .services(names.values.mapValues { $0.elements.count > 1 ? $0.elements.sorted() : $0.elements })
        case .nodes:
            let nodes = try response.list(of: NamedNode.self).elements
            return .nodes(Dictionary(nodes.map { ($0.node, $0.index) }, uniquingKeysWith: max))
        case .checks:
            let checks = try response.list(of: ConsulCheck.self).elements.map {
                ConsulCheckKey(node: $0.node, check: $0.id, service: $0.serviceName, serviceID: $0.serviceID)
            }
            return .checks(Set(checks))
        case .passing:
            let checks = try response.list(of: ChangedCheck.self).elements.filter { !$0.service.isEmpty }
            return .passing(
                checks.reduce(into: [:]) { services, check in
                    services[check.service, default: ConsulPassingChecks(count: 0, index: 0)].add(check.index)
                }
            )
        case .service(let name):
            let entries = try response.list(of: ConsulServiceInstance.self)
            if entries.elements.isEmpty, let reason = entries.unreadable.reasons.first {
                throw APIError(.malformed, reason)
            }
            var reading = self.conversion.reading(
                of: name,
                entries.elements,
                unreadable: entries.unreadable,
                in: query.datacenter,
                isRemote: query.datacenter != self.preferred
            )
            reading.isFiltered = response.isFiltered
            return .service(reading)
        case .probes, .capacity, .indexes:
            // Nobody reads their bodies.
            return .probes([])
        case .entries:
            let (entries, unreadable, names) = try ConsulConfigEntry.list(response)
            return .entries(
                entries.map {
                    let key = ConfigEntry.Key(kind: $0.kind, name: $0.name)
                    return ConfigEntry(key: key, json: $0.json, origin: Origin(file: "consul:config/\(key)"))
                },
                unreadable: ConsulUnreadableEntries(names: names, count: unreadable.count, reasons: unreadable.reasons)
            )
        case .keys:
            // 404: there are none.
            if response.status == 404 { return .keys([:]) }
            let keys = try response.list(of: ConsulKV.self)
            if let reason = keys.unreadable.reasons.first { throw APIError(.malformed, reason) }
            let documents = keys.elements.filter { !$0.key.hasSuffix("/") }
            return .keys(
                Dictionary(
                    documents.map { ($0.key, ConsulKey(index: $0.modifyIndex, value: $0.value)) },
                    uniquingKeysWith: { first, _ in first }
                )
            )
        case .key: return .presence(response.status == 200)
        case .entry(let key):
            guard response.status == 200 else { return .presence(false) }
            // One that cannot be read is there.
            return .presence((try? response.value(of: NamedEntry.self)).map { $0.name == key.name } ?? true)
        case .instances(let name):
            let instances = try response.list(of: NamedInstance.self)
            // What cannot be read may be one of them.
            return .presence(!instances.unreadable.isEmpty || instances.elements.contains { $0.service == name })
        case .unreadable:
            let node = try response.value(of: NodeServices?.self)
            // Of one that is not there, Consul does not say that it left it out.
            return .presence(node == nil && response.isFiltered)
        case .agent:
            return .agent(try response.value(of: ConsulAgent.self))
        }
    }

    /// Of nodes, and of the nodes of a service: all have their name in the same place.
    private struct NamedNode: Decodable, Sendable {
        var node: String
        var index: UInt64

        private enum CodingKeys: String, CodingKey {
            case node = "Node"
            case index = "ModifyIndex"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.node = try container.decode(String.self, forKey: .node)
            self.index = try container.decodeIfPresent(UInt64.self, forKey: .index) ?? 0
        }
    }

    /// Consul answers about `web` with the instances of `WEB`, too: only one of this very name says that it is there.
    private struct NamedInstance: Decodable, Sendable {
        var service: String

        private enum CodingKeys: String, CodingKey {
            case service = "ServiceName"
        }
    }

    /// The same of config entries, of which there is one for all names that differ in case only.
    private struct NamedEntry: Decodable, Sendable {
        var name: String

        private enum CodingKeys: String, CodingKey {
            case name = "Name"
        }
    }

    /// Of a check, what `.passing` is asked for.
    private struct ChangedCheck: Decodable, Sendable {
        var service: String
        var index: UInt64

        private enum CodingKeys: String, CodingKey {
            case service = "ServiceName"
            case index = "ModifyIndex"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.service = try container.decodeIfPresent(String.self, forKey: .service) ?? ""
            self.index = try container.decodeIfPresent(UInt64.self, forKey: .index) ?? 0
        }
    }

    private struct NodeServices: Decodable, Sendable {
        var services: [String: Ignored]?

        private enum CodingKeys: String, CodingKey {
            case services = "Services"
        }
    }

    private struct Ignored: Decodable, Sendable {
        init(from decoder: any Decoder) {}
    }
}

extension ConsulFailure {
    init(_ error: APIError) {
        let reason: Reason =
            switch error.kind {
            case .unreachable, .cancelled, .invalid: .unreachable
            case .timedOut: .timeout
            case .tooLarge: .size
            case .tls: .tls
            case .token: .acl
            case .malformed: .decoding
            case .status: error.status == 403 || error.status == 401 ? .acl : .status
            }
        self.init(reason: reason, message: error.message, error: error)
    }
}
