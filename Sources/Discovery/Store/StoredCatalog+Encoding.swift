// SPDX-License-Identifier: Apache-2.0

import Catalog

extension StoredCatalog {
    /// As JSON, in pieces of some hundred kilobytes. What has its usual value is left out, so that 50,000 instances are
    /// some megabytes; equal catalogs have equal texts.
    func encode<Failure: Error>(_ write: ([UInt8]) throws(Failure) -> Void) throws(Failure) {
        var json = JSONWriter()
        func flush(over limit: Int = 256 * 1024) throws(Failure) {
            if json.bytes.count > limit { try write(json.take()) }
        }
        json.open("{")
        json.key("sources")
        json.open("{")
        for (name, source) in self.sources.sorted(by: { $0.key < $1.key }) {
            json.key(name.rawValue)
            json.open("{")
            json.key("heardAt")
            json.object { json in
                for part in CatalogGuard.Part.allCases {
                    guard let time = source.heardAt[part] else { continue }
                    json.key(part.rawValue)
                    json.number(time)
                }
            }
            if let services = source.services {
                json.key("services")
                json.open("[")
                for service in services {
                    json.newLine()
                    json.service(service)
                    try flush()
                }
                json.close("]")
            }
            if let entries = source.configEntries {
                json.key("configEntries")
                json.open("[")
                for entry in entries {
                    json.newLine()
                    json.entry(entry)
                    try flush()
                }
                json.close("]")
            }
            if let documents = source.documents {
                json.key("documents")
                json.open("[")
                for document in documents {
                    json.newLine()
                    json.object { json in
                        json.member("path", document.path)
                        json.content(document.bytes)
                    }
                    try flush()
                }
                json.close("]")
            }
            json.close("}")
        }
        json.close("}")
        if !self.ended.isEmpty {
            json.key("ended")
            json.open("[")
            for one in self.ended {
                json.newLine()
                json.ended(one)
                try flush()
            }
            json.close("]")
        }
        json.close("}")
        json.lineFeed()
        try flush(over: 0)
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ key: String, _ text: String) {
        self.key(key)
        self.string(text)
    }

    fileprivate mutating func member(_ key: String, unlessEmpty text: String) {
        if !text.isEmpty { self.member(key, text) }
    }

    fileprivate mutating func member(_ key: String, unlessEmpty map: [String: String]) {
        guard !map.isEmpty else { return }
        self.key(key)
        self.object { json in
            for (key, value) in map.sorted(by: { $0.key < $1.key }) { json.member(key, value) }
        }
    }

    fileprivate mutating func origin(_ origin: Origin) {
        self.member("origin", origin.file)
        if let line = origin.line {
            self.key("line")
            self.number(line)
        }
    }

    fileprivate mutating func service(_ service: Service) {
        self.object { json in
            json.member("name", service.name.rawValue)
            json.origin(service.origin)
            json.key("instances")
            json.array { json in
                for instance in service.instances { json.instance(instance) }
            }
        }
    }

    fileprivate mutating func instance(_ instance: Instance) {
        self.object { json in
            json.member("id", instance.id.rawValue)
            json.member("address", instance.address)
            json.key("port")
            json.number(instance.port)
            if instance.weight != .default {
                json.key("weight")
                json.number(instance.weight.value)
            }
            if !instance.tags.isEmpty {
                json.key("tags")
                json.array { json in
                    for tag in instance.tags.sorted() { json.string(tag) }
                }
            }
            json.member("meta", unlessEmpty: instance.meta)
            if instance.health != .passing { json.member("health", instance.health.rawValue) }
            json.member("region", unlessEmpty: instance.locality.region)
            json.member("zone", unlessEmpty: instance.locality.zone)
            json.member("subZone", unlessEmpty: instance.locality.subZone)
            json.member("datacenter", unlessEmpty: instance.datacenter)
            json.member("node", unlessEmpty: instance.node)
            json.member("nodeMeta", unlessEmpty: instance.nodeMeta)
            if let allocation = instance.allocation {
                json.key("allocation")
                json.allocation(allocation)
            }
            if instance.isDraining {
                json.key("isDraining")
                json.bool(true)
            }
            json.origin(instance.origin)
        }
    }

    fileprivate mutating func ended(_ one: StoredCatalog.EndedAllocation) {
        self.object { json in
            json.key("allocation")
            json.allocation(one.allocation)
            if one.isLost {
                json.key("isLost")
                json.bool(true)
            }
        }
    }

    fileprivate mutating func allocation(_ allocation: Allocation) {
        self.object { json in
            json.member("id", allocation.id)
            json.member("namespace", allocation.namespace)
            json.member("job", allocation.job)
            json.key("jobVersion")
            json.number(allocation.jobVersion)
            json.member("group", allocation.group)
            if let deployment = allocation.deployment { json.member("deployment", deployment) }
            if allocation.isCanary {
                json.key("isCanary")
                json.bool(true)
            }
            json.member("nodeID", unlessEmpty: allocation.nodeID)
        }
    }

    fileprivate mutating func entry(_ entry: ConfigEntry) {
        self.object { json in
            json.member("kind", entry.key.kind)
            json.member("name", entry.key.name)
            json.content(entry.json)
            json.origin(entry.origin)
        }
    }

    /// As text where it is text, else as numbers: rare, and to be kept as it is.
    fileprivate mutating func content(_ bytes: [UInt8]) {
        if let text = String(validating: bytes, as: UTF8.self) {
            self.member("text", text)
        } else {
            self.key("bytes")
            self.array { json in
                for byte in bytes { json.number(byte) }
            }
        }
    }
}
