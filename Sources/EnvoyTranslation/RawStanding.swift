// SPDX-License-Identifier: Apache-2.0

import Catalog
package import Routing

/// What was made of the raw resources until now, by the names of their documents, whoever was sent them: what is in force
/// where a document becomes unusable, also for proxies that share no group with those before.
package struct RawStanding: Sendable {
    private(set) var readings: [String: RawReading] = [:]
    /// The last versions that named nothing that was missing.
    private var published: [String: TranslatedResource] = [:]

    package init() {}

    /// - Parameter resources: all that there are: of others nothing is remembered.
    package mutating func read(_ resources: some Sequence<RawResource>) {
        var readings: [String: RawReading] = [:]
        for raw in resources where readings[raw.name] == nil {
            readings[raw.name] = RawReading(raw, previous: self.readings[raw.name])
        }
        self.readings = readings
        self.published = self.published.filter { readings[$0.key] != nil }
    }

    /// Remembers what the proxies of a group are to hold.
    package mutating func note(_ translation: Translation) {
        for key in translation.rawKeys {
            guard let resource = translation[key], case .raw(let raw) = resource.content else { continue }
            guard let reading = self.readings[raw.document] else { continue }
            // Another group may have what this one only has the version before of.
            let isCurrent = (try? reading.result.get())?.isSame(as: resource) ?? false
            if isCurrent || self.published[raw.document] == nil { self.published[raw.document] = resource }
        }
    }

    /// What to go back to, if it has the same name.
    func lastGood(_ key: ResourceReference, of document: String) -> TranslatedResource? {
        self.published[document].flatMap { $0.kind == key.kind && $0.name == key.name ? $0 : nil }
    }
}

/// A raw resource and what it was read as: to read it again would come to the same.
struct RawReading: Sendable {
    let raw: RawResource
    let result: Result<TranslatedResource, RawResourceFailure>
    /// The last that could be read.
    let readable: TranslatedResource?

    init(_ raw: RawResource, previous: RawReading?) {
        self.raw = raw
        if let previous, previous.raw.json == raw.json, previous.raw.timeToLive == raw.timeToLive {
            self.result = previous.result.map { $0.moved(to: raw.origin) }
        } else {
            self.result = TranslatedResource.make(raw)
        }
        self.readable = (try? self.result.get()) ?? previous?.readable?.moved(to: raw.origin)
    }
}

extension TranslatedResource {
    fileprivate func moved(to origin: Origin) -> TranslatedResource {
        var moved = self
        moved.origins = [origin]
        return moved
    }
}
