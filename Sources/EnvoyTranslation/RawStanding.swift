// SPDX-License-Identifier: Apache-2.0

import Catalog
package import Routing

/// What was made of the raw resources until now, by the names of their documents, whoever was sent them: what is in force
/// where a document becomes unusable, also for proxies that share no group with those before.
package struct RawStanding: Sendable {
    private(set) var readings: [String: RawReading] = [:]
    /// The last versions that named nothing that was missing, for each gateway whose proxies had them: what was meant for some
    /// is no good version for others.
    private var published: [String: [GatewayName: TranslatedResource]] = [:]

    package init() {}

    /// - Parameter resources: all that there are: of others nothing is remembered.
    package mutating func read(_ resources: some Sequence<RawResource>) {
        var readings: [String: RawReading] = [:]
        for raw in resources where readings[raw.name] == nil {
            readings[raw.name] = RawReading(raw, previous: self.readings[raw.name])
        }
        self.readings = readings
        for (document, versions) in self.published {
            let gateways = readings[document]?.raw.gateways ?? []
            self.published[document] = gateways.isEmpty ? nil : versions.filter { gateways.contains($0.key) }
        }
    }

    /// Remembers what the proxies of a group are to hold.
    package mutating func note(_ translation: Translation, for gateways: Set<GatewayName>) {
        for key in translation.rawKeys {
            guard let resource = translation[key], case .raw(let raw) = resource.content else { continue }
            guard let reading = self.readings[raw.document] else { continue }
            // What is in the place of an edit that cannot be used was not meant for a gateway that the edit added. And another
            // group of the gateway may have what this one only has the version before of.
            guard reading.lastReadable?.isSame(as: resource) ?? false else { continue }
            for gateway in reading.readers(among: gateways) {
                self.published[raw.document, default: [:]][gateway] = resource
            }
        }
    }

    /// What proxies of these gateways had of a document.
    func lastGood(of document: String, for gateways: Set<GatewayName>) -> [TranslatedResource] {
        (self.published[document] ?? [:]).filter { gateways.contains($0.key) }.sorted { $0.key < $1.key }.map(\.value)
    }
}

/// A raw resource and what it was read as: to read it again would come to the same.
struct RawReading: Sendable {
    let raw: RawResource
    let result: Result<TranslatedResource, RawResourceFailure>
    /// Whatever it was for.
    let lastReadable: TranslatedResource?
    private let readableFor: Set<GatewayName>

    init(_ raw: RawResource, previous: RawReading?) {
        self.raw = raw
        if let previous, previous.raw.json == raw.json, previous.raw.timeToLive == raw.timeToLive {
            self.result = previous.result.map { $0.moved(to: raw.origin) }
        } else {
            self.result = TranslatedResource.make(raw)
        }
        if case .success(let resource) = self.result {
            self.lastReadable = resource
            self.readableFor = Set(raw.gateways)
        } else {
            self.lastReadable = previous?.lastReadable
            self.readableFor = previous?.readableFor ?? []
        }
    }

    /// The last that could be read, if it was for those of these gateways that it is for now.
    func readable(for gateways: Set<GatewayName>) -> TranslatedResource? {
        gateways.intersection(self.raw.gateways).isSubset(of: self.readableFor) ? self.lastReadable : nil
    }

    /// Those that the last that could be read was for, as the document still is.
    func readers(among gateways: Set<GatewayName>) -> Set<GatewayName> {
        gateways.intersection(self.raw.gateways).intersection(self.readableFor)
    }
}

extension TranslatedResource {
    func moved(to origin: Origin) -> TranslatedResource {
        var moved = self
        moved.origins = [origin]
        return moved
    }
}
