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
        #expect(log.update([web]) == ([web], []))
        #expect(log.update([web, api, api]) == ([api], []))
        #expect(log.update([api]) == ([], [web]))
        #expect(log.update([]) == ([], [api]))
        #expect(log.update([web]) == ([web], []))
    }

    @Test("other words about the same are news, and no cure")
    func words() {
        var log = DiagnosticLog()
        _ = log.update([Self.diagnostic("SB101", "odd")])
        let other = Self.diagnostic("SB101", "even", line: 7)
        #expect(log.update([other]) == ([other], []))
        #expect(log.update([]) == ([], [other]))
    }

    @Test("what the guard counts is told once, however far it counts")
    func counts() {
        var log = DiagnosticLog()
        let (ten, eleven) = (Self.diagnostic("SB302", "10 went"), Self.diagnostic("SB302", "11 went"))
        #expect(log.update([ten]) == ([ten], []))
        #expect(log.update([eleven]) == ([], []))
        #expect(log.hasTold(eleven) && !log.hasTold(Self.diagnostic("SB101", "odd")))
        #expect(log.update([]) == ([], [eleven]))
        let (full, refused) = (Self.diagnostic("SB306", "no room"), Self.diagnostic("SB306", "not permitted"))
        #expect(log.update([full]) == ([full], []))
        #expect(log.update([refused]) == ([refused], []))
    }
}
