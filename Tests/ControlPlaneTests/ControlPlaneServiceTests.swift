// SPDX-License-Identifier: Apache-2.0

import Catalog
import Discovery
import Logging
import Synchronization
import Testing
import XDSServer

@testable import ControlPlane

/// What goes between the service and its sources.
@Suite struct ControlPlaneServiceTests {
    private final class Source: ServiceSource {
        let name: SourceName
        let acceptances = Mutex(0)

        init(_ name: SourceName) { self.name = name }

        func run(knowing known: KnownWord, _ deliver: @Sendable (SourceReport) async -> Void) async {}

        func accept() { self.acceptances.withLock { $0 += 1 } }
    }

    private static func service(_ sources: [Source]) -> ControlPlaneService {
        ControlPlaneService(
            files: nil,
            sources: sources,
            options: Pipeline.Options(followed: [.consul: [.services], .nomad: [.services]]),
            cache: SnapshotCache(),
            logger: Logger(label: "test")
        )
    }

    @Test func `a source starts, and says how it is from then on`() {
        let service = Self.service([Source(.consul), Source(.nomad)])
        #expect(service.status.sources.map(\.state) == [.starting, .starting])
        let up = SourceStatus(source: .nomad, state: .up)
        service.change(by: "nomad") { state, now in state.pipeline.apply(.status(up), from: .nomad, at: now) }
        #expect(service.status.sources == [SourceStatus(source: .consul, state: .starting), up])
    }

    @Test func `the source whose word is accepted is told`() {
        let sources = [Source(.consul), Source(.nomad)]
        let service = Self.service(sources)
        _ = service.accept(.nomad)
        #expect(sources.map { $0.acceptances.withLock { $0 } } == [0, 1])
        _ = service.accept(nil)
        #expect(sources.map { $0.acceptances.withLock { $0 } } == [1, 2])
    }
}
