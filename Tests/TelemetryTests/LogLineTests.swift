// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Testing

@testable import Telemetry

struct LogLineTests {
    /// 2026-01-02T03:04:05.678Z
    private static let time: Int64 = 1_767_323_045_678

    private static func line(
        _ level: Logger.Level = .info,
        _ message: String = "message",
        _ metadata: Logger.Metadata = [:]
    ) -> LogLine {
        LogLine(milliseconds: self.time, level: level, label: "xds", message: message, metadata: metadata)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_001, "2000-02-29T00:00:00.001Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (Self.time, "2026-01-02T03:04:05.678Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] as [(Int64, String)]
    )
    func `the time is RFC 3339 in UTC with milliseconds`(milliseconds: Int64, text: String) {
        let line = LogLine(milliseconds: milliseconds, level: .info, label: "", message: "", metadata: [:])
        #expect(line.time == text)
    }

    @Test func `text has the level in a column and the metadata in the order of its keys`() {
        #expect(
            Self.line(.info, "a response was sent", ["xds": ["type": "CDS", "nonce": "7"], "node": "edge-1"]).text
                == "2026-01-02T03:04:05.678Z info  a response was sent node=edge-1 xds.nonce=7 xds.type=CDS"
        )
        #expect(Self.line(.warning).text == "2026-01-02T03:04:05.678Z warning message")
    }

    @Test(arguments: [
        ("plain", "k=plain"),
        ("", "k=\"\""),
        ("a b", "k=\"a b\""),
        ("a=b", "k=\"a=b\""),
        ("a\"b\\", "k=\"a\\\"b\\\\\""),
        ("a\nlevel=error", "k=\"a\\nlevel=error\""),
        ("\u{1b}[31m", "k=\"\\u001b[31m\""),
        ("\u{85}\u{2028}", "k=\"\\u0085\\u2028\""),
        ("größe", "k=größe"),
    ])
    func `a value in text is quoted where it could be taken for more`(value: String, text: String) {
        #expect(Self.line(.info, "m", ["k": .string(value)]).text.hasSuffix(" m \(text)"))
    }

    @Test func `a message cannot begin a second line`() {
        #expect(Self.line(.info, "a\n\rb\u{1b}").text.hasSuffix(" a\\n\\rb\\u001b"))
    }

    @Test func `JSON is one object with the metadata beside the rest`() {
        #expect(
            Self.line(.notice, "a \"response\"", ["xds": ["nonce": "7"], "names": ["a", ["b": "c"]], "time": "mine"])
                .json
                == #"{"time":"2026-01-02T03:04:05.678Z","level":"notice","label":"xds","message":"a \"response\"","#
                + #""names":["a",{"b":"c"}],"metadata.time":"mine","xds.nonce":"7"}"#
        )
    }

    @Test func `every character comes back from JSON as it was, and none ends the line`() throws {
        let text = String(String.UnicodeScalarView((0...0x2100).compactMap(Unicode.Scalar.init))) + "🚦"
        let json = Self.line(.info, text, ["k": .string(text)]).json
        #expect(!json.unicodeScalars.contains { $0.properties.generalCategory == .control })
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: String])
        #expect(object["message"] == text)
        #expect(object["k"] == text)
    }
}
