// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import NIOCore
import Testing

func response(_ json: String) -> APIResponse {
    APIResponse(status: 200, body: ByteBuffer(string: json))
}

/// What is forgiven in an answer, and what is not.
@Suite struct DecodingTests {
    private static let check = #"{"CheckID": "c", "Status": "passing"}"#

    @Test func `an element that cannot be read costs itself only`() throws {
        let body = """
            [\(Self.check), {"CheckID": 7}, null, "text", [1], {"Status": "passing"},
             {"CheckID": "d", "Status": "critical", "Unknown": {"deep": [1, {"er": null}]}}]
            """
        let listing = try response(body).list(of: ConsulCheck.self)
        #expect(listing.elements.map(\.id) == ["c", "d"])
        #expect(listing.unreadable.count == 5)
        #expect(listing.unreadable.reasons.first == "element 1: CheckID is no text")
        #expect(listing.unreadable.reasons.last == "element 5: CheckID is missing")
    }

    @Test func `a million bad elements are counted and not listed`() throws {
        let body = "[\(String(repeating: "7,", count: 100_000))7]"
        let listing = try response(body).list(of: ConsulCheck.self)
        #expect(listing.elements.isEmpty)
        #expect(listing.unreadable.count == 100_001)
        #expect(listing.unreadable.reasons.count == Unreadable.limit)
    }

    @Test func `null is an empty list and an empty map`() throws {
        #expect(try response("null").list(of: ConsulCheck.self).elements.isEmpty)
        #expect(try response(" null\n").map(of: Strings.self).values.isEmpty)
        let instance = try response(
            #"[{"Node": {"Meta": null}, "Service": {"ID": "a", "Service": "a", "Tags": null}, "Checks": null}]"#
        ).list(of: ConsulServiceInstance.self)
        #expect(instance.elements.first?.checks == [])
    }

    @Test(arguments: [
        "", " ", "<!DOCTYPE html><html>", "{", "[{]", "[1", "{}", "7", "No cluster leader", "\u{0}", "[1] x",
    ])
    func `what is no list is told as such`(body: String) {
        let error = #expect(throws: APIError.self) { try response(body).list(of: ConsulCheck.self) }
        #expect(error?.kind == .malformed)
    }

    @Test func `the start of what came instead is told`() {
        let error = #expect(throws: APIError.self) {
            try response("<html><title>Sign in</title>\n").list(of: ConsulCheck.self)
        }
        #expect(error?.message.contains("it starts with \"<html><title>Sign in</title>\"") == true)
    }

    @Test func `depth does not end the program`() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = String(repeating: open, count: 100_000) + "1" + String(repeating: close, count: 100_000)
            for body in [deep, "[\(deep)]", "[{\"CheckID\": \(deep)}]", "{\"x\": \(deep)}"] {
                #expect(throws: APIError.self) { try response(body).list(of: ConsulCheck.self) }
                #expect(throws: APIError.self) { try response(body).map(of: Strings.self) }
            }
        }
    }

    @Test func `damaged answers are read, or told, and nothing worse`() {
        var state: UInt64 = 1
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(limit))
        }
        let whole = Array("[\(ConsulDecodingTests.instance)]".utf8)
        let signs = Array("[]{}\",:\\0-eE.nulltrue \u{0}\u{1b}".utf8) + [0xC0, 0xED, 0xFF]
        for _ in 0..<5000 {
            var bytes = whole
            for _ in 0...random(below: 4) {
                let place = random(below: bytes.count)
                switch random(below: 4) {
                case 0: bytes[place] = signs[random(below: signs.count)]
                case 1: bytes.insert(signs[random(below: signs.count)], at: place)
                case 2: bytes.removeSubrange(place..<min(bytes.count, place + random(below: 20)))
                default: bytes.removeLast(min(bytes.count - 1, random(below: 50)))
                }
            }
            let answer = APIResponse(status: 200, body: ByteBuffer(bytes: bytes))
            let listing = try? answer.list(of: ConsulServiceInstance.self)
            #expect(listing.map { $0.elements.count + $0.unreadable.count <= 30 } ?? true)
            _ = try? ConsulConfigEntry.list(answer)
            _ = try? answer.map(of: Strings.self)
            _ = try? answer.value(of: NomadEvents.self)
        }
    }

    @Test func `numbers beyond all bounds are unreadable and no more`() throws {
        let body = """
            [{"Node": {}, "Service": {"ID": "a", "Service": "a", "Port": 1e400}},
             {"Node": {}, "Service": {"ID": "a", "Service": "a", "Port": 99999999999999999999}},
             {"Node": {}, "Service": {"ID": "a", "Service": "a", "Port": 1.5}},
             {"Node": {}, "Service": {"ID": "a", "Service": "a", "Port": -1}}]
            """
        let listing = try response(body).list(of: ConsulServiceInstance.self)
        #expect(listing.elements.map(\.service.port) == [-1])
        #expect(listing.unreadable.count == 3)
    }

    @Test func `names with every sign there is are kept`() throws {
        let body = #"{"a\"b": ["\u0000\n😀"], "": [], "\ud83d\ude00": null}"#
        let map = try response(body).map(of: Strings.self)
        #expect(map.values.mapValues(\.elements) == ["a\"b": ["\u{0}\n😀"], "": [], "😀": []])
    }
}
