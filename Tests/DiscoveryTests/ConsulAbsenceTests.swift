// SPDX-License-Identifier: Apache-2.0

import Catalog
import TestSupport
import Testing

@testable import Discovery

/// What a list of config entries or keys lacks: each is gone, or kept, and the rest of the list counts.
struct ConsulAbsenceTests {
    @Test func `what else is there is followed at once while some may not be read, also over a restart`() {
        var rig = ConsulRig.withPolicy()
        rig.change { model in
            model.forbidden = ["web", "sb/a"]
            model.setKey("sb/b.yaml", "b2")
            model.setEntries(["api", "web"], ofKind: "service-router")
        }
        rig.run(for: .seconds(60))
        for generation in ["first", "second"] {
            rig.change { model in
                model.setKey("sb/b.yaml", generation)
                model.setKey("sb/\(generation).yaml", "new")
                model.setEntries(["api", "web", generation], ofKind: "service-router")
            }
            rig.run(for: .milliseconds(500))
            var texts = ["a.yaml": "a", "b.yaml": generation, "c.yaml": "c"]
            texts["\(generation).yaml"] = "new"
            #expect(rig.documents == texts)
            let entries = rig.guarded.configEntries(of: .consul).map(\.key.name)
            #expect(entries == ["api", generation, "web"].sorted())
            rig.change { model in
                model.setKey("sb/\(generation).yaml", nil)
                model.setEntries(["api", "web"], ofKind: "service-router")
            }
            rig.run(for: .seconds(1))
            #expect(rig.documents["\(generation).yaml"] == nil, "it was deleted, and that may be known")
            #expect(rig.guarded.configEntries(of: .consul).map(\.key.name) == ["api", "web"])
            #expect(rig.guarded.held.flatMap(\.names) == ["config-entry/service-router/web", "key/sb/a.yaml"])
            #expect(rig.status == SourceStatus(source: .consul, state: .up))
            rig.restart()
            rig.change { $0.setKey("sb/c.yaml", "c") }
            rig.run(for: .seconds(5))
        }
        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(12))
        #expect(rig.findings == [] && rig.guarded.held == [])
    }

    @Test func `what is deleted goes at once, though one may not be read`() {
        var rig = ConsulRig(.init(keyPrefix: "sb/"))
        let names = (10..<22).map { "k\($0)" }
        rig.change { model in
            model.setEntries(names, ofKind: "service-router")
            for name in names { model.setKey("sb/\(name)", name) }
        }
        rig.run(for: .seconds(3))
        rig.change { model in
            model.forbidden = ["k15", "sb/k15"]
            model.setEntries(["k15"], ofKind: "service-router")
            for name in names where name != "k15" { model.setKey("sb/\(name)", nil) }
        }
        rig.run(for: .seconds(1))
        #expect(rig.lastEntries?.names == ["k15"])
        #expect(rig.documents.keys.sorted() == ["k15"])
        #expect(rig.guarded.held.flatMap(\.names) == ["config-entry/service-router/k15", "key/sb/k15"])
    }

    @Test(arguments: [false, true])
    func `hundreds that may not be read any more are one state, and one of them that is gone is found`(
        isRestarted: Bool
    ) {
        var rig = ConsulRig(.init(followsConfigEntries: false, keyPrefix: "sb/"))
        rig.change { model in
            for number in 100..<400 { model.setKey("sb/k\(number)", "k") }
            model.setKey("sb/other", "o")
        }
        rig.run(for: .seconds(3))
        if isRestarted { rig.restart() }
        var before = rig.keyQuestions
        rig.change { model in
            model.forbidden = ["sb/k"]
            model.setKey("sb/other", "o2")
        }
        rig.run(for: .milliseconds(800))
        #expect(rig.keyQuestions - before == ConsulAbsence.tries)
        #expect(rig.guarded.held.flatMap(\.names).count == 300 && rig.documents["other"] == "o2")
        #expect(rig.findings.first?.message.hasPrefix("the documents at the keys sb/k100, sb/k101, ") == true)
        before = rig.keyQuestions
        rig.run(for: .seconds(100))
        let asked = rig.keyQuestions - before
        #expect(asked >= 8 * ConsulAbsence.tries && asked < 20 * ConsulAbsence.tries)
        #expect(rig.removals.isEmpty)
        rig.change { model in
            model.setKey("sb/k234", nil)
            model.forbidden = Set((100..<400).filter { $0 != 234 }.map { "sb/k\($0)" })
        }
        rig.run(for: .seconds(400))
        #expect(rig.removals.map(\.paths) == [["consul:kv/sb/k234"]])
        #expect(rig.guarded.held.flatMap(\.names).count == 299)
        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(12))
        #expect(rig.findings == [] && rig.guarded.held == [] && rig.documents.count == 300)
    }

    @Test func `hundreds that are accepted are each asked for once more, and what may be read again stays`() {
        var rig = ConsulRig(.init(followsConfigEntries: false, keyPrefix: "sb/"))
        rig.change { model in for number in 100..<400 { model.setKey("sb/k\(number)", "k") } }
        rig.run(for: .seconds(3))
        rig.change { model in
            model.forbidden = ["sb/k"]
            model.setKey("sb/k100", "k2")
        }
        rig.run(for: .seconds(3))
        #expect(rig.guarded.held.flatMap(\.names).count == 300)
        rig.change { model in
            model.setKey("sb/k300", nil)
            model.forbidden = Set((100..<400).filter { ![200, 300].contains($0) }.map { "sb/k\($0)" })
        }
        rig.accept()
        rig.run(for: .seconds(12))
        #expect(rig.documents == ["k200": "k"])
        #expect(rig.guarded.held == [] && rig.findings == [])
    }

    @Test(arguments: 1...24)
    func `whatever happens, no document is lost, and all are known in the end`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var rig = ConsulRig(seed: seed, .init(keyPrefix: "sb/"))
        let count = [3, 12, 40].randomElement(using: &random) ?? 3
        rig.change { model in for number in 0..<count { model.setKey("sb/\(number)", "0") } }
        rig.run(for: .seconds(3))
        var lasting = Set((0..<count).map(String.init))
        for step in 0..<Int.random(in: 30...120, using: &random) {
            let name = "\(Int.random(in: 0..<count + 3, using: &random))"
            switch Int.random(in: 0..<24, using: &random) {
            case 0..<6: rig.change { $0.setKey("sb/\(name)", "\(step)") }
            case 6..<9:
                lasting.remove(name)
                rig.change { $0.setKey("sb/\(name)", nil) }
            case 9: rig.change { $0.forbidden = [] }
            // Of some, whose names begin so.
            case 10..<13: rig.change { $0.forbidden.insert("sb/\(name.prefix(1))") }
            case 13: rig.change { $0.forbidden = ["sb/"] }
            case 14: rig.change { $0.setEntries((0..<step % 9).map(String.init), ofKind: "service-router") }
            case 15: rig.change { $0.token += 1 }
            case 16: rig.errorRate = 4
            case 17..<19: rig.errorRate = 0
            case 19 where seed.isMultiple(of: 2) == false:
                lasting = []
                rig.accept()
            case 20: rig.restart()
            case 21: rig.disconnect()
            case 22: rig.run(for: .seconds(Int.random(in: 1...30, using: &random)))
            default: break
            }
            rig.run(for: .milliseconds(Int.random(in: 0...800, using: &random)))
            #expect(lasting.isSubset(of: rig.documents.keys))
        }
        rig.errorRate = 0
        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(80))
        let there = rig.model.keys.map {
            ($0.key.replacing("sb/", with: ""), String(decoding: $0.value.value, as: UTF8.self))
        }
        #expect(rig.documents == Dictionary(there) { first, _ in first })
        #expect(rig.guarded.configEntries(of: .consul) == rig.model.entries["service-router"] ?? [])
        #expect(rig.guarded.held == [] && rig.findings == [])
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
    }

    @Test func `of many that are refused, a few are asked for, and a few more after one that may be read`() {
        let failure = ConsulFailure(reason: .acl, message: "Permission denied")
        let keys = (0..<100).map { ConsulQuery.Subject.key("\($0)") }
        var absence = ConsulAbsence(each: [], new: keys, refused: [], isToRetry: true)
        var asked: [ConsulQuery.Subject] = []
        while let next = absence.next {
            asked.append(next)
            absence.isRefused(failure)
        }
        #expect(asked == stride(from: 0, to: 96, by: 12).map { keys[$0] })
        #expect(absence.refused.count == 100 && Set(absence.refused) == Set(keys))
        #expect(Array(absence.refused.suffix(8)) == asked, "the others are asked for first next time")

        absence = ConsulAbsence(each: [keys[0]], new: [keys[1]], refused: Array(keys[2...]), isToRetry: false)
        absence.isLetGo()
        absence.isGone()
        #expect(absence.next == nil && absence.refused == Array(keys[2...]) && absence.failure == nil)

        absence = ConsulAbsence(each: [], new: [], refused: keys, isToRetry: true)
        for _ in 0..<5 { absence.isRefused(failure) }
        for _ in 0..<20 { absence.isGone() }
        for number in 25..<33 {
            #expect(absence.next == keys[number])
            absence.isRefused(failure)
        }
        #expect(absence.next == nil && absence.gone == Array(keys[5..<25]) && absence.refused.count == 80)
    }
}
