// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

@testable import ControlPlane

/// What is said to whoever accepts removals.
@Suite struct AcceptanceTests {
    private static let documents = HeldRemoval(
        source: .file,
        reason: .documents,
        names: (1...8).map { "route/r\($0)" },
        since: .zero,
        until: nil
    )

    private static func of(consul reason: HeldRemoval.Reason, _ names: [String], instances: Int = 0) -> HeldRemoval {
        HeldRemoval(source: .consul, reason: reason, names: names, instances: instances, since: .zero, until: nil)
    }

    @Test func `nothing held of this source is told from something held of another`() {
        #expect(Acceptance(.consul, of: []).description == "nothing is held of consul")
        #expect(Acceptance(nil, of: []).description == "nothing is held")
        let acceptance = Acceptance(.consul, of: [Self.documents])
        #expect(acceptance.description == "nothing is held of consul; 8 documents of file are")
        #expect(acceptance.released == [])
        let one = Self.of(consul: .lastInstances, ["web"], instances: 1)
        #expect(Acceptance(.file, of: [one]).description == "nothing is held of file; 1 instance of consul is")
    }

    @Test func `what was hidden counts by its instances`() {
        let held = HeldRemoval(
            source: .nomad,
            reason: .hidden,
            names: ["api.a"],
            instances: 3,
            since: .zero,
            until: nil
        )
        #expect(Acceptance(.nomad, of: [held]).description == "let go of 3 instances of nomad")
    }

    @Test func `what is refused besides services counts by its names`() {
        let held = [Self.of(consul: .hiddenPolicy, ["config-entry/service-router/web", "key/sb/a.yaml"])]
        let what = "2 config entries and documents that it refuses to show of consul"
        #expect(Acceptance(.consul, of: held).description == "let go of \(what)")
    }

    @Test func `what was let go is told by sort and source`() {
        let held = [
            Self.documents, Self.of(consul: .massRemoval, ["api", "web"], instances: 12),
            Self.of(consul: .lastInstances, ["db"], instances: 2),
            Self.of(consul: .configEntries, ["service-router/web"]),
        ]
        #expect(
            Acceptance(nil, of: held).description
                == "let go of 8 documents of file, 14 instances of consul, 1 config entry of consul"
        )
        #expect(
            Acceptance(.consul, of: held).description
                == "let go of 14 instances of consul, 1 config entry of consul; still held: 8 documents of file"
        )
    }
}
