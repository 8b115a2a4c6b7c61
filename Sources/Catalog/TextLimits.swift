// SPDX-License-Identifier: Apache-2.0

/// What names and texts a source may bring in. They are chosen by whoever can register a service, and end in the names of
/// clusters, in logs, on terminals and in memory. In bytes of UTF-8.
package struct TextLimits: Hashable, Sendable {
    /// Of a service, a node, a datacenter and of the parts of a locality. Consul's own limit for a name in DNS is 63.
    package var name = 255
    package var instanceID = 1024
    package var tag = 4096
    package var tags = 512
    package var metaKey = 255
    package var metaValue = 4096
    /// Of an instance, and of its node. Consul's own limit is 64.
    package var metaPairs = 256

    /// Tags that begin so are conditions of routes. Without one a route would match more than its author meant, so they are
    /// left to who reads them, however bad.
    package var routeTagPrefix = "signalbox."

    package init() {}

    /// Not empty, not too long, no control characters (those of ASCII, and U+0080 to U+009F).
    package func isName(_ text: String, limit: Int? = nil) -> Bool {
        !text.isEmpty && self.isText(text, limit: limit ?? self.name)
    }

    func isText(_ text: String, limit: Int) -> Bool {
        var text = text
        return text.withUTF8 { $0.count <= limit && !Self.hasControlCharacters($0) }
    }

    private static func hasControlCharacters(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var previous: UInt8 = 0
        for byte in text {
            if byte < 0x20 || byte == 0x7F || (previous == 0xC2 && byte < 0xA0) { return true }
            previous = byte
        }
        return false
    }
}

extension TextLimits {
    /// Whether nothing of it would be left out.
    func isClean(_ instance: Instance) -> Bool {
        instance.tags.count <= self.tags && instance.tags.allSatisfy(self.isTaken)
            && self.isClean(instance.meta) && self.isClean(instance.nodeMeta)
            && self.isText(instance.datacenter, limit: self.name) && self.isText(instance.node, limit: self.name)
            && self.isText(instance.locality.region, limit: self.name)
            && self.isText(instance.locality.zone, limit: self.name)
            && self.isText(instance.locality.subZone, limit: self.name)
    }

    private func isTaken(_ tag: String) -> Bool {
        self.isText(tag, limit: self.tag) || self.isOfRoute(tag)
    }

    private func isOfRoute(_ tag: String) -> Bool {
        !self.routeTagPrefix.isEmpty && tag.hasPrefix(self.routeTagPrefix)
    }

    private func isClean(_ meta: [String: String]) -> Bool {
        meta.count <= self.metaPairs && meta.allSatisfy(self.isGood)
    }

    private func isGood(_ pair: (key: String, value: String)) -> Bool {
        self.isText(pair.key, limit: self.metaKey) && self.isText(pair.value, limit: self.metaValue)
    }

    /// The instance without the texts that are not taken.
    func cleaned(_ instance: Instance) -> Instance {
        var cleaned = instance
        self.clean(&cleaned.tags)
        self.clean(&cleaned.meta)
        self.clean(&cleaned.nodeMeta)
        let names: [WritableKeyPath<Instance, String>] = [
            \.datacenter, \.node, \.locality.region, \.locality.zone, \.locality.subZone,
        ]
        for name in names where !self.isText(instance[keyPath: name], limit: self.name) {
            cleaned[keyPath: name] = ""
        }
        return cleaned
    }

    private func clean(_ tags: inout Set<String>) {
        tags = tags.filter(self.isTaken)
        guard tags.count > self.tags else { return }
        let ofRoutes = tags.filter(self.isOfRoute)
        let others = tags.subtracting(ofRoutes).sorted().prefix(max(0, self.tags - ofRoutes.count))
        tags = ofRoutes.union(others)
    }

    private func clean(_ meta: inout [String: String]) {
        meta = meta.filter(self.isGood)
        guard meta.count > self.metaPairs else { return }
        meta = Dictionary(
            meta.sorted { $0.key < $1.key }.prefix(self.metaPairs).map { ($0.key, $0.value) },
            uniquingKeysWith: { first, _ in first }
        )
    }
}
