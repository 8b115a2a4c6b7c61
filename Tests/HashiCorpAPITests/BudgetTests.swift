// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization
import Testing

@testable import HashiCorpAPI

final class BudgetTests: Sendable {
    private let ledger = Mutex(ByteLedger<Int>(limit: 100, ceiling: 250))

    private func take(_ bytes: Int, for taker: Int) -> Bool? {
        self.ledger.withLock { $0.take(bytes, for: taker) }
    }

    private func end(_ taker: Int, returning bytes: Int) -> [Int: Bool] {
        let told = self.ledger.withLock { $0.end(taker, returning: bytes) }
        return Dictionary(uniqueKeysWithValues: told.map { ($0.taker, $0.isGranted) })
    }

    private var used: Int { self.ledger.withLock(\.used) }

    @Test func `when it is used up one goes on and the others wait`() {
        #expect(self.take(60, for: 0) == true)
        #expect(self.take(60, for: 1) == true)
        #expect(self.take(60, for: 0) == nil)
        #expect(self.take(60, for: 1) == true)
        #expect(self.end(1, returning: 120) == [0: true])
        #expect(self.end(0, returning: 120) == [:])
        #expect(self.used == 0)
    }

    @Test func `the one that goes on ends at the ceiling, and then it is another's turn`() {
        #expect(self.take(90, for: 0) == true)
        #expect(self.take(150, for: 1) == true)
        #expect(self.take(20, for: 0) == nil)
        #expect(self.take(20, for: 1) == false)
        #expect(self.end(1, returning: 150) == [0: true])
        #expect(self.used == 110)
    }

    @Test func `who gives up while it waits holds up nobody`() {
        #expect(self.take(120, for: 0) == true)
        #expect(self.take(50, for: 1) == nil)
        #expect(self.take(50, for: 2) == nil)
        #expect(self.end(1, returning: 0) == [1: false])
        #expect(self.end(0, returning: 120) == [2: true])
        #expect(self.used == 50)
    }
}

struct JSONOmissionTests {
    private static let cases = [
        (#"[{"Output":"a b","Name":"Output"}]"#, #"[{"Output":"","Name":"Output"}]"#),
        (
            #"{"Output" : "x\"y\\" , "Outputs":"kept","NoOutput":"kept"}"#,
            #"{"Output" : "" , "Outputs":"kept","NoOutput":"kept"}"#
        ),
        (#"{"a":["Output","b"],"Output":null,"Output":5}"#, #"{"a":["Output","b"],"Output":null,"Output":5}"#),
        (#"{"\"Output":"kept","Output":{"Output":"gone"}}"#, #"{"\"Output":"kept","Output":{"Output":""}}"#),
        (#"{"Output":""}"#, #"{"Output":""}"#),
    ]

    @Test(arguments: Self.cases)
    func `the texts of a key are empty and all else is as it was, however it comes in`(text: String, rest: String) {
        let bytes = Array(text.utf8)
        for size in 1...bytes.count {
            var omission = JSONOmission("Output")
            var kept = ""
            for start in stride(from: 0, to: bytes.count, by: size) {
                let part = ByteBuffer(bytes: bytes[start..<min(start + size, bytes.count)])
                kept += String(buffer: omission.apply(to: part))
            }
            #expect(kept == rest)
        }
    }
}
