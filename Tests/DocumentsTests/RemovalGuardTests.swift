// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import Documents

struct RemovalGuardTests {
    /// Ten services in a file each, `0.yaml` to `9.yaml`, and a service's defaults.
    private func tenServices(percent: Int = 50) -> DocumentSet {
        let services = (0..<10).map { write(service("s\($0)"), to: "\($0).yaml") }
        let defaults = write("kind: service-defaults\nname: s0", to: "defaults.yaml")
        return documents(services + [defaults], options: DocumentSet.Options(removalGuard: percent))
    }

    private func removals(_ range: Range<Int>) -> [FileChange] {
        range.map { remove("\($0).yaml") }
    }

    @Test func `half may go, one more is too much`() {
        var set = self.tenServices()
        _ = set.apply(self.removals(0..<5), at: .seconds(1))
        #expect(set.services.count == 5)
        #expect(set.faults == [])

        set = self.tenServices()
        _ = set.apply(self.removals(0..<6), at: .seconds(1))
        #expect(set.services.count == 10)
        #expect(
            set.diagnostics.map(\.description) == [
                "0.yaml:1: error[SB120]: 6 of 10 services in force are in no file or key any more: s0, s1, s2, s3, s4 and 1 more; "
                    + "they are held (restore them; or accept with signalbox catalog accept --source file, "
                    + "or restart with --removal-guard 0)"
            ]
        )
    }

    @Test func `what an operator accepts goes, and counts no more`() {
        var set = self.tenServices()
        _ = set.apply(self.removals(0..<9), accepted: Set(self.removals(0..<9).map(\.path)), at: .seconds(1))
        #expect(set.services.count == 1 && set.faults == [] && set.held == nil)
        _ = set.apply(self.removals(9..<10), at: .seconds(2))
        #expect(set.held?.documents == ["service/s9"])
    }

    @Test func `what an operator accepts takes nothing else with it`() {
        var set = self.tenServices()
        _ = set.apply(self.removals(0..<10), accepted: ["0.yaml"], at: .seconds(1))
        #expect(set.held?.documents == (1..<10).map { "service/s\($0)" })
        #expect(set.services.count == 9)

        set = self.tenServices()
        _ = set.apply(self.removals(0..<6), accepted: ["0.yaml", "1.yaml"], at: .seconds(1))
        #expect(set.services.count == 4 && set.held == nil, "half of the others may go")
    }

    @Test(arguments: [1, 2, 3, 5, 7, 10])
    func `it makes no difference in how many steps they vanish`(step: Int) {
        var set = self.tenServices()
        for start in stride(from: 0, to: 10, by: step) {
            _ = set.apply(self.removals(start..<min(start + step, 10)), at: .seconds(1 + start))
        }
        #expect(set.services.count == 10)
        #expect(set.faults == ["SB120:1"])
    }

    @Test func `what vanished before the window does not count`() {
        var set = self.tenServices()
        _ = set.apply(self.removals(0..<4), at: .seconds(1))
        _ = set.apply(self.removals(4..<7), at: .seconds(62))
        #expect(set.services.count == 3)
        #expect(set.faults == [])
        _ = set.apply(self.removals(7..<9), at: .seconds(120))
        #expect(set.services.count == 6, "those that vanished since second 60 are back, those before are not")
        #expect(set.faults == ["SB120:1"])
    }

    @Test func `every kind is guarded by itself, and its last document is always too much`() {
        var set = self.tenServices()
        _ = set.apply([remove("defaults.yaml"), remove("0.yaml")], at: .seconds(1))
        #expect(set.policy.serviceDefaults.count == 1)
        #expect(set.services.count == 9)
        #expect(set.diagnostics.map(\.subject) == ["service-defaults/s0"])
    }

    @Test func `the last document of a kind is held even if all of the others may go`() {
        var set = self.tenServices(percent: 100)
        _ = set.apply(self.removals(0..<9), at: .seconds(1))
        #expect(set.services.count == 1)
        _ = set.apply(self.removals(9..<10), at: .seconds(90))
        #expect(set.services.count == 1)
        #expect(set.faults == ["SB120:1"])
    }

    @Test func `a hold has no end of its own`() {
        var set = self.tenServices()
        _ = set.apply(self.removals(0..<10), at: .seconds(1))
        _ = set.apply([write(service("new"), to: "new.yaml")], at: .seconds(100_000))
        #expect(set.services.count == 11)
        #expect(set.faults == ["SB120:1"])
    }

    @Test func `what comes back is held no more`() {
        var set = self.tenServices()
        _ = set.apply(self.removals(0..<10), at: .seconds(1))
        let restored = (0..<9).map { service("s\($0)", port: 2) }.joined(separator: "---\n")
        _ = set.apply([write(restored, to: "elsewhere.yaml")], at: .seconds(2))
        #expect(set.ports("s0") == [2])
        #expect(set.ports("s9") == [1])
        #expect(set.diagnostics.map(\.subject) == ["service/s9"])
        _ = set.apply([write(service("s9", port: 2), to: "9.yaml")], at: .seconds(3))
        #expect(set.faults == [])
        #expect(set.services.count == 10)
    }

    @Test func `accepted removals are gone, and do not count any more`() {
        var set = self.tenServices()
        _ = set.apply(self.removals(0..<6), at: .seconds(1))
        let first = set.acceptRemovals()
        let second = set.acceptRemovals()
        #expect([first, second] == [true, false])
        #expect(set.services.count == 4)
        #expect(set.faults == [])
        _ = set.apply(self.removals(6..<8), at: .seconds(2))
        #expect(set.services.count == 2)
        #expect(set.faults == [])
    }

    @Test func `an emptied file is a removal, a broken one is none`() {
        var set = documents(file(service("a"), service("b")))
        _ = set.apply([write("")], at: .seconds(1))
        #expect(set.names == ["service/a", "service/b"])
        #expect(set.faults == ["SB120:1"])

        set = documents(file(service("a"), service("b")))
        _ = set.apply([write("[")], at: .seconds(1))
        #expect(set.names == ["service/a", "service/b"])
        #expect(set.faults == ["SB101:1"])
    }

    @Test func `a broken file that is removed is a removal`() {
        var set = documents(service("a"))
        _ = set.apply([write("[")], at: .seconds(1))
        _ = set.apply([remove("a.yaml")], at: .seconds(2))
        #expect(set.names == ["service/a"])
        #expect(set.faults == ["SB120:1"])
    }

    @Test func `the guard can be turned off`() {
        var set = self.tenServices(percent: 0)
        _ = set.apply(self.removals(0..<10) + [remove("defaults.yaml")], at: .seconds(1))
        #expect(set.names.isEmpty)
        #expect(set.faults == [])
    }
}
