// SPDX-License-Identifier: Apache-2.0

import Catalog
import EnvoyTranslation
import Routing
import SwiftProtobuf
import Testing

struct FeatureTests {
    @Test(arguments: Feature.all)
    func `a feature gives the resources of its golden file`(feature: Feature) throws {
        let (resources, diagnostics) = feature.sample.translated(feature.configSource)
        #expect(diagnostics == [])
        try Goldens.expect(resources.filter { feature.kinds.contains($0.kind) }, toEqual: feature.name)
    }

    @Test func `there is no golden file without a feature`() throws {
        #expect(try Goldens.names == Set(Feature.all.map(\.name)))
    }

    @Test(arguments: Feature.all)
    func `equal inputs give equal bytes`(feature: Feature) throws {
        var sample = feature.sample
        let bytes = try sample.translated().resources.map { try Self.bytes($0) }
        sample.gateways.reverse()
        sample.routes.reverse()
        sample.services = sample.services.reversed().map {
            Service(name: $0.name, instances: $0.instances.reversed(), origin: $0.origin)
        }
        #expect(try sample.translated().resources.map { try Self.bytes($0) } == bytes)
    }

    private static func bytes(_ resource: TranslatedResource) throws -> [UInt8] {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        return try resource.message.serializedBytes(options: options)
    }
}
