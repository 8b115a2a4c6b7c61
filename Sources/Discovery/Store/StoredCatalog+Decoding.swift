// SPDX-License-Identifier: Apache-2.0

import Catalog

extension StoredCatalog {
    /// What `encode` wrote. What it does not write is a fault: the version in the header tells one form from another.
    init(
        savedAt: Int64,
        decoding bytes: [UInt8],
        from start: Int,
        version: Int = StoreHeader.version
    ) throws(JSONScanner.Fault) {
        self.init(savedAt: savedAt)
        var scanner = JSONScanner(bytes, from: start)
        var sources: [SourceName: Source] = [:]
        var ended: [EndedAllocation] = []
        try scanner.object { key, scanner throws(JSONScanner.Fault) in
            switch key {
            case "sources":
                try scanner.object { key, scanner throws(JSONScanner.Fault) in
                    guard let name = SourceName(rawValue: key) else { throw scanner.fault }
                    sources[name] = try scanner.source(version)
                }
            case "ended": ended = try scanner.list { json throws(JSONScanner.Fault) in try json.ended() }
            default: throw scanner.fault
            }
        }
        try scanner.end()
        self.sources = sources
        self.ended = ended
    }
}

extension JSONScanner {
    fileprivate mutating func source(_ version: Int) throws(Fault) -> StoredCatalog.Source {
        var heardAt: [CatalogGuard.Part: Int64] = [:]
        var services: [Service]?
        var entries: [ConfigEntry]?
        var documents: [StoredCatalog.Document]?
        try self.object { key, scanner throws(Fault) in
            switch key {
            case "heardAt": heardAt = try scanner.times(version)
            case "services": services = try scanner.list { json throws(Fault) in try json.service() }
            case "configEntries": entries = try scanner.list { json throws(Fault) in try json.entry() }
            case "documents": documents = try scanner.list { json throws(Fault) in try json.document() }
            default: throw scanner.fault
            }
        }
        return StoredCatalog.Source(
            heardAt: { heardAt[$0] ?? 0 },
            services: services,
            configEntries: entries,
            documents: documents
        )
    }

    private mutating func times(_ version: Int) throws(Fault) -> [CatalogGuard.Part: Int64] {
        // One of all parts.
        if version == 1 {
            let time: Int64 = try self.number()
            return Dictionary(uniqueKeysWithValues: CatalogGuard.Part.allCases.map { ($0, time) })
        }
        var times: [CatalogGuard.Part: Int64] = [:]
        try self.object { key, scanner throws(Fault) in
            guard let part = CatalogGuard.Part(rawValue: key) else { throw scanner.fault }
            times[part] = try scanner.number()
        }
        return times
    }

    fileprivate mutating func list<Element>(
        _ element: (inout JSONScanner) throws(Fault) -> Element
    ) throws(Fault) -> [Element] {
        var list: [Element] = []
        try self.array { scanner throws(Fault) in
            list.append(try element(&scanner))
        }
        return list
    }

    private mutating func service() throws(Fault) -> Service {
        var name = ""
        var origin = Origin(file: "")
        var instances: [Instance] = []
        try self.object { key, scanner throws(Fault) in
            switch key {
            case "name": name = try scanner.string()
            case "instances": instances = try scanner.list { json throws(Fault) in try json.instance() }
            default: try scanner.origin(&origin, key)
            }
        }
        return Service(name: ServiceName(name), instances: instances, origin: origin)
    }

    private mutating func instance() throws(Fault) -> Instance {
        var instance = Instance(id: InstanceID(""), address: "", port: 0, origin: Origin(file: ""))
        try self.object { key, scanner throws(Fault) in
            switch key {
            case "id": instance.id = InstanceID(try scanner.string())
            case "address": instance.address = try scanner.string()
            case "port": instance.port = try scanner.number()
            case "weight":
                guard let weight = Weight(try scanner.number()) else { throw scanner.fault }
                instance.weight = weight
            case "tags": instance.tags = Set(try scanner.strings())
            case "meta": instance.meta = try scanner.map()
            case "health":
                guard let health = Instance.Health(rawValue: try scanner.string()) else { throw scanner.fault }
                instance.health = health
            case "region": instance.locality.region = try scanner.string()
            case "zone": instance.locality.zone = try scanner.string()
            case "subZone": instance.locality.subZone = try scanner.string()
            case "datacenter": instance.datacenter = try scanner.string()
            case "node": instance.node = try scanner.string()
            case "nodeMeta": instance.nodeMeta = try scanner.map()
            case "allocation": instance.allocation = try scanner.allocation()
            case "isDraining": instance.isDraining = try scanner.bool()
            default: try scanner.origin(&instance.origin, key)
            }
        }
        return instance
    }

    private mutating func allocation() throws(Fault) -> Allocation {
        var allocation = Allocation(id: "", namespace: "", job: "", jobVersion: 0, group: "")
        try self.object { key, scanner throws(Fault) in
            switch key {
            case "id": allocation.id = try scanner.string()
            case "namespace": allocation.namespace = try scanner.string()
            case "job": allocation.job = try scanner.string()
            case "jobVersion": allocation.jobVersion = try scanner.number()
            case "group": allocation.group = try scanner.string()
            case "deployment": allocation.deployment = try scanner.string()
            case "isCanary": allocation.isCanary = try scanner.bool()
            case "nodeID": allocation.nodeID = try scanner.string()
            default: throw scanner.fault
            }
        }
        return allocation
    }

    fileprivate mutating func ended() throws(Fault) -> StoredCatalog.EndedAllocation {
        var ended = StoredCatalog.EndedAllocation(
            Allocation(id: "", namespace: "", job: "", jobVersion: 0, group: ""),
            isLost: false
        )
        try self.object { key, scanner throws(Fault) in
            switch key {
            case "allocation": ended.allocation = try scanner.allocation()
            case "isLost": ended.isLost = try scanner.bool()
            default: throw scanner.fault
            }
        }
        return ended
    }

    private mutating func entry() throws(Fault) -> ConfigEntry {
        var entry = ConfigEntry(key: ConfigEntry.Key(kind: "", name: ""), json: [], origin: Origin(file: ""))
        try self.object { key, scanner throws(Fault) in
            switch key {
            case "kind": entry.key.kind = try scanner.string()
            case "name": entry.key.name = try scanner.string()
            case "text", "bytes": entry.json = try scanner.content(key)
            default: try scanner.origin(&entry.origin, key)
            }
        }
        return entry
    }

    private mutating func document() throws(Fault) -> StoredCatalog.Document {
        var document = StoredCatalog.Document(path: "", bytes: [])
        try self.object { key, scanner throws(Fault) in
            switch key {
            case "path": document.path = try scanner.string()
            default: document.bytes = try scanner.content(key)
            }
        }
        return document
    }

    private mutating func origin(_ origin: inout Origin, _ key: String) throws(Fault) {
        switch key {
        case "origin": origin.file = try self.string()
        case "line": origin.line = try self.number()
        default: throw self.fault
        }
    }

    private mutating func content(_ key: String) throws(Fault) -> [UInt8] {
        switch key {
        case "text": Array(try self.string().utf8)
        case "bytes": try self.list { json throws(Fault) in try json.number() }
        default: throw self.fault
        }
    }
}
