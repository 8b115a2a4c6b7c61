// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

/// Makes instances of what Consul tells of a service. Whether their addresses may be used is not decided here.
struct ConsulConversion: Sendable {
    /// Of a tag, or of a key and value of meta, in bytes.
    static let maximumText = 64 * 1024
    private static let maintenance = "_node_maintenance"
    private static let serviceMaintenance = "_service_maintenance"

    let routedHealth: ConsulConfiguration.RoutedHealth
    let requiresCheck: Bool
    let address: ConsulConfiguration.AddressChoice
    private let selection: ConsulSelection

    init(_ configuration: ConsulConfiguration) {
        self.routedHealth = configuration.routedHealth
        self.requiresCheck = configuration.requiresCheck
        self.address = configuration.address
        self.selection = ConsulSelection(configuration)
    }

    /// - Parameters:
    ///   - datacenter: that was asked for; nil: the agent's own. One that is not the first is another place: it is
    ///     reached by the addresses for that.
    func reading(
        of service: String,
        _ entries: [ConsulServiceInstance],
        unreadable: Unreadable,
        in datacenter: String?,
        isRemote: Bool
    ) -> ConsulServiceReading {
        var findings = ConsulFindings(service: service, datacenter: datacenter ?? entries.first?.node.datacenter ?? "")
        let entries = Self.own(service, entries, &findings)
        var instances: [Instance] = []
        instances.reserveCapacity(entries.count)
        var nodes: Set<String> = []
        if !unreadable.isEmpty { findings.note(.unreadable, unreadable.reasons[0], times: unreadable.count) }
        var sharing = Sharing()
        var isOurs = entries.isEmpty
        var awaitsCheck = false
        var passingChecks = 0
        for entry in entries {
            nodes.insert(entry.node.name)
            passingChecks += entry.checks.count { !$0.serviceID.isEmpty && $0.status == "passing" }
            // The proxies and gateways of a mesh are registered beside what they stand for.
            guard entry.service.kind.isEmpty, !self.selection.leavesOut(tags: entry.service.tags) else { continue }
            isOurs = true
            guard let place = self.place(of: entry, isRemote: isRemote, &findings) else { continue }
            instances.append(self.instance(entry, at: place, service, datacenter, &sharing, &findings))
            if self.requiresCheck, !Self.hasOwnCheck(entry) { awaitsCheck = true }
        }
        Self.tellApart(&instances)
        instances.sort { $0.id < $1.id }
        return ConsulServiceReading(
            instances: instances,
            nodes: nodes.sorted(),
            count: entries.count + unreadable.count,
            passingChecks: passingChecks,
            isOurs: isOurs,
            awaitsCheck: awaitsCheck,
            diagnostics: findings.diagnostics
        )
    }

    /// Consul takes names for the same that differ in case only, and its rights do not: an answer about `web` has the
    /// instances of `WEB`, too, whoever may register those.
    private static func own(
        _ service: String,
        _ entries: [ConsulServiceInstance],
        _ findings: inout ConsulFindings
    ) -> [ConsulServiceInstance] {
        guard let other = entries.first(where: { $0.service.name != service }) else { return entries }
        let own = entries.filter { $0.service.name == service }
        findings.note(.name, other.service.name, times: entries.count - own.count)
        return own
    }

    // MARK: Addresses

    private func place(
        of entry: ConsulServiceInstance,
        isRemote: Bool,
        _ findings: inout ConsulFindings
    ) -> (address: String, port: UInt16)? {
        let service = entry.service
        var address = service.address
        var port = service.port
        let tag: String? =
            switch self.address {
            case .tagged(let name): name
            case .service: isRemote ? "wan" : nil
            }
        if let tag, let tagged = service.taggedAddresses[tag], !tagged.address.isEmpty {
            address = tagged.address
            if tagged.port != 0 { port = tagged.port }
        } else if address.isEmpty {
            // As Consul itself translates addresses: the node's tagged one stands in only for a node's address.
            address = tag.flatMap { entry.node.taggedAddresses[$0] } ?? ""
            if address.isEmpty { address = entry.node.address }
        }
        guard IPAddress(address) != nil else {
            findings.note(.address, address, of: entry.service.id)
            return nil
        }
        guard let port = UInt16(exactly: port), port > 0 else {
            findings.note(.port, String(port), of: entry.service.id)
            return nil
        }
        return (address, port)
    }

    // MARK: Instances

    /// What many instances of a service have in common is kept once.
    private struct Sharing {
        var tags: [String] = []
        var tagSet: Set<String> = []
        var meta: [String: String] = [:]
        var nodeMeta: [String: String] = [:]
    }

    private func instance(
        _ entry: ConsulServiceInstance,
        at place: (address: String, port: UInt16),
        _ service: String,
        _ datacenter: String?,
        _ sharing: inout Sharing,
        _ findings: inout ConsulFindings
    ) -> Instance {
        if entry.service.tags != sharing.tags {
            sharing.tags = entry.service.tags
            sharing.tagSet = Set(entry.service.tags.filter { Self.isShort($0, &findings) })
        }
        let meta = Self.short(entry.service.meta, &findings)
        if meta != sharing.meta { sharing.meta = meta }
        let nodeMeta = Self.short(entry.node.meta, &findings)
        if nodeMeta != sharing.nodeMeta { sharing.nodeMeta = nodeMeta }
        let health = self.health(of: entry)
        let weight = health == .passing ? entry.service.weights.passing : entry.service.weights.warning
        let name = entry.node.datacenter.isEmpty ? datacenter ?? "" : entry.node.datacenter
        let locality = entry.service.locality ?? entry.node.locality
        return Instance(
            id: InstanceID(entry.service.id),
            address: place.address,
            port: place.port,
            weight: Weight(min(max(weight, Weight.range.lowerBound), Weight.range.upperBound)) ?? .default,
            tags: sharing.tagSet,
            meta: sharing.meta,
            health: health,
            locality: Locality(region: locality?.region ?? "", zone: locality?.zone ?? ""),
            datacenter: name,
            node: entry.node.name,
            nodeMeta: sharing.nodeMeta,
            origin: Origin(file: "consul:\(name)/\(service)/\(entry.service.id)")
        )
    }

    /// The worst of its checks and its node's, seen with what is routed to.
    private func health(of entry: ConsulServiceInstance) -> Instance.Health {
        var worst = Instance.Health.passing
        for check in entry.checks {
            if check.id == Self.maintenance || check.id.hasPrefix(Self.serviceMaintenance) { return .critical }
            switch check.status {
            case "passing": break
            case "warning": if worst == .passing { worst = .warning }
            case "maintenance": return .critical
            default: worst = .critical
            }
        }
        if self.requiresCheck, !Self.hasOwnCheck(entry) { return .critical }
        return switch (self.routedHealth, worst) {
        case (.passing, .warning): .critical
        case (.any, .critical): .warning
        case (_, let worst): worst
        }
    }

    private static func hasOwnCheck(_ entry: ConsulServiceInstance) -> Bool {
        entry.checks.contains { !$0.serviceID.isEmpty }
    }

    /// Nodes choose IDs by themselves: those that more than one chose are prefixed by the node.
    private static func tellApart(_ instances: inout [Instance]) {
        var counts: [InstanceID: Int] = [:]
        for instance in instances { counts[instance.id, default: 0] += 1 }
        guard counts.count < instances.count else { return }
        for index in instances.indices where counts[instances[index].id, default: 0] > 1 {
            instances[index].id = InstanceID("\(instances[index].node)/\(instances[index].id)")
        }
    }

    // MARK: Limits

    private static func short(_ meta: [String: String], _ findings: inout ConsulFindings) -> [String: String] {
        let isFine = meta.allSatisfy { key, value in
            key.utf8.count <= Self.maximumText && value.utf8.count <= Self.maximumText
        }
        if isFine { return meta }
        return meta.filter { key, value in Self.isShort(key, &findings) && Self.isShort(value, &findings) }
    }

    private static func isShort(_ text: String, _ findings: inout ConsulFindings) -> Bool {
        guard text.utf8.count > Self.maximumText else { return true }
        findings.note(.text, String(text.prefix(40)))
        return false
    }
}
