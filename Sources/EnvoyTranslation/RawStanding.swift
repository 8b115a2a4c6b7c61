// SPDX-License-Identifier: Apache-2.0

import Catalog
package import Routing

/// What was made of the raw resources until now, by the names of their documents, whoever was sent them: what is in force
/// where a document becomes unusable, also for proxies that share no group with those before.
package struct RawStanding: Sendable {
    private(set) var readings: [String: RawReading] = [:]
    /// The last versions that named nothing that was missing, for each gateway whose proxies had them: what was meant for some
    /// is no good version for others.
    private var published: [String: [GatewayName: Version]] = [:]

    private struct Version {
        let resource: TranslatedResource
        /// Of the reading.
        let number: Int
    }

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
                self.published[raw.document, default: [:]][gateway] = Version(
                    resource: resource,
                    number: reading.number
                )
            }
        }
    }

    /// What proxies of these gateways had of a document.
    ///
    /// If it was good for some of them under another name since, nobody names the old one any more, so it does not come back.
    /// It stays where the same proxies still have it.
    ///
    /// - Parameter previous: what these proxies are to hold until now.
    func lastGood(
        of document: String,
        for gateways: Set<GatewayName>,
        previous: Translation?
    ) -> [TranslatedResource] {
        let versions = (self.published[document] ?? [:]).filter { gateways.contains($0.key) }
        let newest = versions.values.max { $0.number < $1.number }?.resource.reference
        return versions.sorted { $0.key < $1.key }.map(\.value.resource).filter {
            $0.reference == newest || previous?.raw($0.reference, of: document) != nil
        }
    }
}

/// A raw resource and what it was read as: to read it again would come to the same.
struct RawReading: Sendable {
    let raw: RawResource
    let result: Result<TranslatedResource, RawResourceFailure>
    /// Whatever it was for.
    let lastReadable: TranslatedResource?
    /// How many others were readable before that.
    let number: Int
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
            let isSame = previous?.lastReadable?.isSame(as: resource) ?? true
            self.number = (previous?.number ?? 0) + (isSame ? 0 : 1)
            self.readableFor = Set(raw.gateways)
        } else {
            self.lastReadable = previous?.lastReadable
            self.number = previous?.number ?? 0
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
