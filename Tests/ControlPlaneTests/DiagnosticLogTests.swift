// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

@testable import ControlPlane

/// What the log tells of diagnostics.
@Suite struct DiagnosticLogTests {
    private static func diagnostic(_ code: String, _ message: String, line: Int = 1, of name: String = "web")
        -> Diagnostic
    {
        let origin = Origin(file: "\(name).yaml", line: line)
        return Diagnostic(
            .error,
            code: code,
            subject: "route/\(name)",
            message: message,
            cure: "mend it",
            origin: origin
        )
    }

    @Test("each is told once, and again when it is gone")
    func once() {
        var log = DiagnosticLog()
        let (web, api) = (Self.diagnostic("SB101", "odd"), Self.diagnostic("SB101", "odd", of: "api"))
        #expect(log.update([web], at: .zero) == ([web], []))
        #expect(log.update([web, api, api], at: .zero) == ([api], []))
        #expect(log.update([api], at: .zero) == ([], [web]))
        #expect(log.update([], at: .zero) == ([], [api]))
        #expect(log.update([web], at: .zero) == ([web], []))
    }

    @Test("other words about the same are news, and no cure")
    func words() {
        var log = DiagnosticLog()
        _ = log.update([Self.diagnostic("SB101", "odd")], at: .zero)
        let other = Self.diagnostic("SB101", "even", line: 7)
        #expect(log.update([other], at: .zero) == ([other], []))
        #expect(log.update([], at: .zero) == ([], [other]))
    }

    @Test("services and config entries that went in mass are told each, and neither hides the other")
    func masses() {
        func services(_ numbers: Range<Int>) -> CatalogUpdate {
            let origin = Origin(file: "consul")
            let all = numbers.map { number -> (ServiceName, Service?) in
                let id = InstanceID("i\(number)")
                let instance = Instance(id: id, address: "10.0.0.\(number)", port: 80, origin: origin)
                let name = ServiceName("s\(number)")
                return (name, Service(name: name, instances: [instance], origin: origin))
            }
            return CatalogUpdate(source: .consul, isComplete: true, services: Dictionary(uniqueKeysWithValues: all))
        }
        func entries(_ numbers: Range<Int>) -> [ConfigEntry] {
            numbers.map {
                let key = ConfigEntry.Key(kind: "service-router", name: "s\($0)")
                return ConfigEntry(key: key, json: [], origin: Origin(file: "consul"))
            }
        }
        var guarded = CatalogGuard()
        var log = DiagnosticLog()
        _ = guarded.apply(services(1..<21), at: .zero)
        _ = guarded.apply(configEntries: entries(0..<20), from: .consul, at: .zero)
        _ = guarded.apply(services(1..<5), at: .seconds(1))
        #expect(log.update(guarded.diagnostics, at: .zero).new.map(\.subject) == ["source/consul"])
        _ = guarded.apply(configEntries: [], from: .consul, at: .seconds(2))
        #expect(log.update(guarded.diagnostics, at: .zero).new.map(\.subject) == ["source/consul/config-entries"])
        _ = guarded.apply(services(1..<21), at: .seconds(3))
        #expect(log.update(guarded.diagnostics, at: .zero).cured.map(\.subject) == ["source/consul"])
        _ = guarded.accept(.consul, at: .seconds(4))
        #expect(log.update(guarded.diagnostics, at: .zero).cured.map(\.subject) == ["source/consul/config-entries"])
    }

    @Test("what the guard counts is told once, however far it counts")
    func counts() {
        var log = DiagnosticLog()
        let (ten, eleven) = (Self.diagnostic("SB302", "10 went"), Self.diagnostic("SB302", "11 went"))
        #expect(log.update([ten], at: .zero) == ([ten], []))
        #expect(log.update([eleven], at: .zero) == ([], []))
        #expect(log.hasTold(eleven) && !log.hasTold(Self.diagnostic("SB101", "odd")))
        #expect(log.update([], at: .zero) == ([], [eleven]))
        let (full, refused) = (Self.diagnostic("SB306", "no room"), Self.diagnostic("SB306", "not permitted"))
        #expect(log.update([full], at: .zero) == ([full], []))
        #expect(log.update([refused], at: .zero) == ([refused], []))
    }

    @Test("a service that goes to and fro between sources is told once a minute, and in the end as it is")
    func pace() {
        var log = DiagnosticLog()
        let words = ["consul is in force", "nomad is in force"].map { Self.diagnostic("SB301", $0) }
        let api = Self.diagnostic("SB301", "nomad is in force", of: "api")
        var told: [Diagnostic] = []
        for second in 0..<59 {
            let news = log.update([words[second % 2]], at: .seconds(second))
            told += news.new + news.cured
        }
        #expect(told == [words[0]])
        // Another one has a minute of its own.
        #expect(log.update([words[0], api], at: .seconds(59)) == ([api], []))
        #expect(log.due == nil)
        #expect(log.update([words[1], api], at: .seconds(59)) == ([], []))
        #expect(log.due == .seconds(60))
        #expect(log.update([words[1], api], at: .seconds(60)) == ([words[1]], []))
        #expect(log.due == nil)
    }

    @Test("a service that comes and goes is told once a minute, and not cured more often than it was told")
    func comesAndGoes() {
        var log = DiagnosticLog()
        let web = Self.diagnostic("SB301", "consul is in force")
        let other = Self.diagnostic("SB301", "nomad is in force")
        #expect(log.update([web], at: .zero) == ([web], []))
        #expect(log.update([other], at: .seconds(1)) == ([], []))
        #expect(log.update([], at: .seconds(2)) == ([], [web]))
        for second in 3..<60 {
            #expect(log.update(second % 2 == 0 ? [] : [web], at: .seconds(second)) == ([], []))
        }
        #expect(log.update([web], at: .seconds(60)) == ([web], []))
        #expect(log.update([], at: .seconds(61)) == ([], [web]))
    }
}
