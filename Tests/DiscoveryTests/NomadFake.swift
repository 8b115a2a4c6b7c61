// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import NIOCore

@testable import Discovery

/// A Nomad server without a network: tables under one index, and the last changes as events. It answers with the text that
/// a server sends.
struct FakeNomad {
    struct Registration: Equatable {
        var service: String
        var namespace: String
        var allocation: Int
        var tags: [String] = []
        var modifyIndex: UInt64 = 0

        var id: String { Sample.registrationID(self.allocation, service: self.service) }
    }

    struct Allocation: Equatable {
        var job = "web"
        var version: UInt64 = 0
        var deployment: String?
        var isCanary = false
        var desired = "run"
        var client = "running"
        var isMigrating = false
        var namespace = "default"
        var modifyIndex: UInt64 = 0
    }

    struct Deployment: Equatable {
        var job = "web"
        var version: UInt64 = 0
        var isPromoted = false
        var status = "running"
        var modifyIndex: UInt64 = 0
    }

    var index: UInt64 = 100
    var registrations: [String: Registration] = [:]
    var allocations: [Int: Allocation] = [:]
    var deployments: [String: Deployment] = [:]
    var nodes: [String: UInt64] = [:]
    var tableIndexes: [NomadTable: UInt64] = [:]
    /// Each change that was published, oldest first; only the last `buffer` can be had again.
    var events: [(index: UInt64, line: String)] = []
    var buffer = 100
    /// The last change that cannot be had any more.
    var dropped: UInt64 = 0
    var pageSize = 2000
    /// What the token may see; nil: everything.
    var visible: Set<String>?
    /// How it answers to a question for what the token may not see.
    var failingVisibility = 403
    var checks: [Int: [String: String]] = [:]
    /// Allocations whose clients do not answer.
    var mute: Set<Int> = []
    /// Whether something before it leaves the token of a page out of account.
    var ignoresPages = false
    /// Registrations that cannot be read.
    var broken: Set<String> = []
    /// Whether a service in the list of them cannot be read.
    var isListBroken = false
    /// Services that it answers to with no list.
    var garbled: Set<String> = []
    var refusal: (status: Int, text: String)?
    var isStreaming = true
    var mayReadNodes = true
    /// What it answers instead of a list of nodes.
    var failingNodes: Int?

    // MARK: - Changes

    mutating func register(_ registration: Registration) {
        var registration = registration
        self.change(.services) { index in
            registration.modifyIndex = index
            return Self.event("Service", "ServiceRegistration", registration.id, registration.json, index)
        }
        self.registrations[registration.id] = registration
    }

    mutating func deregister(_ id: String) {
        guard let registration = self.registrations.removeValue(forKey: id) else { return }
        self.change(.services) { index in
            Self.event("Service", "ServiceDeregistration", id, registration.json, index)
        }
    }

    mutating func set(_ number: Int, _ allocation: Allocation) {
        var allocation = allocation
        self.change(.allocations) { index in
            allocation.modifyIndex = index
            let json = allocation.json(number, isEvent: true)
            return Self.event("Allocation", "AllocationUpdated", Sample.allocationID(number), json, index)
        }
        self.allocations[number] = allocation
    }

    mutating func set(_ id: String, _ deployment: Deployment) {
        var deployment = deployment
        self.change(.deployments) { index in
            deployment.modifyIndex = index
            return Self.event("Deployment", "DeploymentStatusUpdate", id, deployment.json(id), index)
        }
        self.deployments[id] = deployment
    }

    mutating func setNode(_ id: String) {
        self.change(.nodes) { index in
            Self.event("Node", "NodeRegistration", id, Self.node(id, index), index)
        }
        self.nodes[id] = self.index
    }

    /// What has ended is collected, and nothing says so.
    mutating func collect(_ number: Int) {
        guard self.allocations.removeValue(forKey: number) != nil else { return }
        self.index += 1
        self.tableIndexes[.allocations] = self.index
    }

    /// It starts again, with nothing but what is in its raft log.
    mutating func restart() {
        self.events = []
    }

    /// It starts again with nothing at all.
    mutating func wipe() {
        var fresh = FakeNomad()
        fresh.index = 10
        fresh.buffer = self.buffer
        fresh.pageSize = self.pageSize
        self = fresh
    }

    private mutating func change(_ table: NomadTable, _ event: (UInt64) -> String) {
        self.index += 1
        self.tableIndexes[table] = self.index
        self.events.append((self.index, "{\"Index\":\(self.index),\"Events\":[\(event(self.index))]}"))
        if self.events.count > self.buffer { self.dropped = self.events.removeFirst().index }
    }

    // MARK: - Answers

    /// Nil: it waits.
    func answer(_ question: NomadQuestion) -> APIResponse? {
        if let refusal = self.refusal { return self.text(refusal.status, refusal.text) }
        switch question {
        case .watch(let table, let namespace, let index, _, _):
            let now = self.tableIndex(table)
            if let refusal = self.refused(namespace) { return refusal }
            guard index.map({ now > $0 }) ?? true else { return nil }
            return APIResponse(status: 200, index: now, knownLeader: true, body: ByteBuffer(string: "[]"))
        case .page(let table, let namespace, let token):
            if table == .nodes, !self.mayReadNodes { return self.text(403, "Permission denied") }
            if table == .nodes, let status = self.failingNodes { return self.text(status, "nodes fail") }
            if let refusal = self.refused(namespace) { return refusal }
            if self.visible == [], namespace == "*" { return self.page([], index: 0, from: nil, size: 1) }
            let size = table == .services ? .max : self.pageSize
            let start = self.ignoresPages ? nil : token
            return self.page(self.rows(table, namespace), index: self.tableIndex(table), from: start, size: size)
        case .service(let key):
            if let refusal = self.refused(key.namespace) { return refusal }
            if self.garbled.contains(key.name) { return self.text(200, "{}") }
            let found = self.registrations.values.filter { $0.service == key.name && $0.namespace == key.namespace }
            let rows = found.map { row in
                self.broken.contains(row.id) ? row.json.replacing("\"Port\":", with: "\"Port\":\"\",\"No\":") : row.json
            }
            return self.page(rows, index: self.tableIndex(.services), from: nil, size: .max)
        case .visibility(let namespace):
            if let refusal = self.refused(namespace) { return refusal }
            return self.page(self.rows(.services, namespace), index: self.tableIndex(.services), from: nil, size: .max)
        case .checks(let allocation):
            let number = self.allocations.keys.first { Sample.allocationID($0) == allocation }
            if let number, self.mute.contains(number) { return nil }
            let checks = (number.flatMap { self.checks[$0] } ?? [:]).map { service, status in
                "\"\(service)\":{\"ID\":\"c\",\"Mode\":\"healthiness\",\"Status\":\"\(status)\",\"Service\":\"\(service)\"}"
            }
            return APIResponse(status: 200, body: ByteBuffer(string: "{\(checks.joined(separator: ","))}"))
        }
    }

    private func refused(_ namespace: String) -> APIResponse? {
        guard let visible = self.visible, namespace != "*", !visible.contains(namespace) else { return nil }
        return self.text(self.failingVisibility, "Permission denied")
    }

    private func tableIndex(_ table: NomadTable) -> UInt64 { self.tableIndexes[table] ?? 1 }

    private func text(_ status: Int, _ text: String) -> APIResponse {
        APIResponse(status: status, body: ByteBuffer(string: text))
    }

    private func page(_ rows: [String], index: UInt64, from token: String?, size: Int) -> APIResponse {
        let start = token.flatMap { Int($0) } ?? 0
        let end = size < rows.count ? min(rows.count, start + size) : rows.count
        let body = "[\(rows[min(start, end)..<end].joined(separator: ","))]"
        return APIResponse(
            status: 200,
            index: index,
            knownLeader: true,
            nextToken: end < rows.count ? "\(end)" : nil,
            body: ByteBuffer(string: body)
        )
    }

    private func rows(_ table: NomadTable, _ namespace: String) -> [String] {
        func isMeant(_ other: String) -> Bool {
            (namespace == "*" || namespace == other) && (self.visible?.contains(other) ?? true)
        }
        switch table {
        case .allocations:
            return self.allocations.filter { isMeant($0.value.namespace) }.sorted { $0.key < $1.key }
                .map { $0.value.json($0.key, isEvent: false) }
        case .deployments: return self.deployments.sorted { $0.key < $1.key }.map { $0.value.json($0.key) }
        case .nodes: return self.nodes.sorted { $0.key < $1.key }.map { Self.node($0.key, $0.value) }
        case .services:
            let found = self.registrations.values.filter { isMeant($0.namespace) }
            return Dictionary(grouping: found, by: \.namespace).map { namespace, registrations in
                var names = Set(registrations.map(\.service)).map { "{\"ServiceName\":\"\($0)\",\"Tags\":[]}" }
                if self.isListBroken { names.append("{\"ServiceName\":7}") }
                return "{\"Namespace\":\"\(namespace)\",\"Services\":[\(names.joined(separator: ","))]}"
            }
        }
    }

    private static func node(_ id: String, _ index: UInt64) -> String {
        "{\"ID\":\"\(id)\",\"Name\":\"name of \(id)\",\"Status\":\"ready\",\"Drain\":false,\"ModifyIndex\":\(index)}"
    }

    private static func event(_ topic: String, _ type: String, _ key: String, _ json: String, _ index: UInt64) -> String
    {
        "{\"Topic\":\"\(topic)\",\"Type\":\"\(type)\",\"Key\":\"\(key)\",\"Namespace\":\"default\",\"FilterKeys\":null,"
            + "\"Index\":\(index),\"Payload\":{\"\(topic)\":\(json)}}"
    }
}

extension FakeNomad.Registration {
    var json: String {
        let tags = self.tags.map { "\"\($0)\"" }.joined(separator: ",")
        return "{\"ID\":\"\(self.id)\",\"ServiceName\":\"\(self.service)\",\"Namespace\":\"\(self.namespace)\","
            + "\"NodeID\":\"n1\",\"Datacenter\":\"dc1\",\"JobID\":\"web\",\"AllocID\":\""
            + "\(Sample.allocationID(self.allocation))\",\"Tags\":\(self.tags.isEmpty ? "null" : "[\(tags)]"),"
            + "\"Address\":\"10.0.0.1\",\"Port\":\(1000 + self.allocation),\"ModifyIndex\":\(self.modifyIndex)}"
    }
}

extension FakeNomad.Allocation {
    /// A list has the version and no deployment, an event the other way round.
    func json(_ number: Int, isEvent: Bool) -> String {
        let shape =
            isEvent
            ? "\"DeploymentID\":\"\(self.deployment ?? "")\",\"DesiredTransition\":{\"Migrate\":\(self.isMigrating)}"
            : "\"JobVersion\":\(self.version),\"TaskStates\":null"
        return
            "{\"ID\":\"\(Sample.allocationID(number))\",\"Namespace\":\"\(self.namespace)\",\"JobID\":\"\(self.job)\","
            + "\"TaskGroup\":\"web\",\"NodeID\":\"n1\",\"NodeName\":\"client-1\",\"DesiredStatus\":\"\(self.desired)\","
            + "\"ClientStatus\":\"\(self.client)\",\"DeploymentStatus\":{\"Healthy\":true,\"Canary\":\(self.isCanary)},"
            + "\"ModifyIndex\":\(self.modifyIndex),\(shape)}"
    }
}

extension FakeNomad.Deployment {
    func json(_ id: String) -> String {
        "{\"ID\":\"\(id)\",\"Namespace\":\"default\",\"JobID\":\"\(self.job)\",\"JobVersion\":\(self.version),\"Status\":\""
            + "\(self.status)\",\"TaskGroups\":{\"web\":{\"Promoted\":\(self.isPromoted),\"DesiredCanaries\":1,"
            + "\"PlacedCanaries\":null}},\"ModifyIndex\":\(self.modifyIndex)}"
    }
}
