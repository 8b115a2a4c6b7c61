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

    package init() {}

    /// Not empty, not too long, no control characters (those of ASCII, and U+0080 to U+009F).
    func isName(_ text: String, limit: Int? = nil) -> Bool {
        !text.isEmpty && self.isText(text, limit: limit ?? self.name)
    }

    func isText(_ text: String, limit: Int) -> Bool {
        guard text.utf8.count <= limit else { return false }
        return text.utf8.withContiguousStorageIfAvailable { !Self.hasControlCharacters($0) }
            ?? !Self.hasControlCharacters(Array(text.utf8))
    }

    private static func hasControlCharacters(_ text: some Sequence<UInt8>) -> Bool {
        var previous: UInt8 = 0
        for byte in text {
            if byte < 0x20 || byte == 0x7F || (previous == 0xC2 && byte < 0xA0) { return true }
            previous = byte
        }
        return false
    }
}

extension TextLimits {
    /// The instance without the texts that are not taken, and how many there were.
    func cleaned(_ instance: Instance) -> (instance: Instance, leftOut: Int) {
        var cleaned = instance
        var leftOut = self.clean(&cleaned.tags) + self.clean(&cleaned.meta) + self.clean(&cleaned.nodeMeta)
        let names: [WritableKeyPath<Instance, String>] = [
            \.datacenter, \.node, \.locality.region, \.locality.zone, \.locality.subZone,
        ]
        for name in names where !self.isText(instance[keyPath: name], limit: self.name) {
            cleaned[keyPath: name] = ""
            leftOut += 1
        }
        return (cleaned, leftOut)
    }

    private func clean(_ tags: inout Set<String>) -> Int {
        let before = tags.count
        if !tags.allSatisfy({ self.isText($0, limit: self.tag) }) {
            tags = tags.filter { self.isText($0, limit: self.tag) }
        }
        if tags.count > self.tags { tags = Set(tags.sorted().prefix(self.tags)) }
        return before - tags.count
    }

    private func clean(_ meta: inout [String: String]) -> Int {
        func isGood(_ pair: (key: String, value: String)) -> Bool {
            self.isText(pair.key, limit: self.metaKey) && self.isText(pair.value, limit: self.metaValue)
        }
        let before = meta.count
        if !meta.allSatisfy(isGood) { meta = meta.filter(isGood) }
        if meta.count > self.metaPairs {
            meta = Dictionary(
                meta.sorted { $0.key < $1.key }.prefix(self.metaPairs).map { ($0.key, $0.value) },
                uniquingKeysWith: { first, _ in first }
            )
        }
        return before - meta.count
    }
}
