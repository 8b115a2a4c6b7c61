// SPDX-License-Identifier: Apache-2.0

import Documents
import TestSupport
import Testing
import XDSProtocol

/// What strangers can send, made up at random. A failure prints the seed; what is found becomes a case in
/// `CrasherTests`. One after the other, so that the time that each is given is its own. `make fuzz` gives them ten
/// minutes.
@Suite(.serialized, .longComputation) struct FuzzTests {
    @Test func `requests are understood as swift-protobuf understands them`() async throws {
        let replay: [UInt64] = [8_701_224_122_301_689_259, 10_317_048_434_870_778_256, 14_451_633_353_067_581_337]
        try await Fuzz("requests", replay: replay).run(RequestFuzz.failure)
    }

    @Test func `a hostile client cannot bring a stream's machine out of order`() async throws {
        try await Fuzz("streams").run(HostileStream.failure)
    }

    @Test func `frames in pieces are taken out whole`() async throws {
        try await Fuzz("frames").run(DeframerFuzz.failure)
    }

    @Test func `no document takes long, or another one with it`() async throws {
        let examples = try DocumentFuzz.examples()
        try await Fuzz("documents").run { DocumentFuzz.failure(examples: examples, seed: $0) }
    }

    @Test func `no tag takes long, or another service's route with it`() async throws {
        let examples = try TagFuzz.examples()
        try await Fuzz("tags").run { TagFuzz.failure(examples: examples, seed: $0) }
    }

    @Test(arguments: BadText.bombs.indices)
    func `a bomb is refused in time`(index: Int) {
        var set = DocumentSet()
        #expect(DocumentFuzz.fault(of: Array(BadText.bombs[index].utf8), in: &set, round: 1) == nil)
    }
}
