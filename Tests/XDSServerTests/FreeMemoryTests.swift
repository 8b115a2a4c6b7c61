// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import XDSProtocol

@testable import XDSServer

@Suite struct FreeMemoryTests {
    private static let hole = 64 << 20
    private static var unpaced: FreeMemory { FreeMemory(interval: .zero) }

    /// Resident bytes of this process, in which other tests run too.
    private var resident: Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
        let fields = line.prefix { $0 != 0 }.split(separator: CChar(UInt8(ascii: " ")))
        let pages = String(decoding: fields.dropFirst().first.map { $0.map(UInt8.init) } ?? [], as: UTF8.self)
        return (Int(pages) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }

    /// How much less is resident after the work, if there is a hole in the heap before it.
    private func given(back work: () -> Void) -> Int {
        // Too small to be mapped on their own, which would give them back when they are freed.
        let size = 8_192
        let pieces = (0..<Self.hole / size).map { _ in
            let piece = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            piece.initializeMemory(as: UInt8.self, repeating: 1, count: size)
            return piece
        }
        let last = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        defer { last.deallocate() }
        for piece in pieces { piece.deallocate() }
        let before = self.resident
        work()
        return before - self.resident
    }

    @Test func `what a world made anew leaves behind is given back`() {
        #expect(self.given { SnapshotCache(memory: Self.unpaced).publish(TestWorld([:])) } > Self.hole / 2)
    }

    @Test func `what the first of a large group leaves behind is given back, and nobody else waits for it`() {
        let cache = SnapshotCache(memory: Self.unpaced)
        let names = (0..<1_000).map { "\($0)" }
        let large = Dictionary(uniqueKeysWithValues: names.map { ($0, "1") })
        cache.publish(TestWorld(["large": [.cluster: large], "small": [:]], members: ["s": "small"], others: "large"))
        let join = { (node: String) in _ = cache.watch(node: Node(id: node), streams: .aggregated) {} }
        #expect(self.given { join("s") } < Self.hole / 2)
        #expect(self.given { join("a") } > Self.hole / 2)
        #expect(self.given { join("b") } < Self.hole / 2)
    }

    @Test func `what is left behind soon after is given back a while later, once`() async {
        let (trims, continuation) = AsyncStream.makeStream(of: Void.self)
        let cache = SnapshotCache(memory: FreeMemory(interval: .milliseconds(200)) { continuation.yield() })
        for _ in 0..<10 { cache.publish(TestWorld([:])) }
        var given = trims.makeAsyncIterator()
        _ = await given.next()
        _ = await given.next()
        continuation.finish()
        #expect(await given.next() == nil)
    }

    @Test func `a while later is when the interval is over, and once for all who asked`() {
        var pace = GivingBack(interval: .seconds(10))
        #expect(pace.asked(at: .seconds(3)) == .now)
        #expect(pace.asked(at: .seconds(4)) == .later(.seconds(9)))
        #expect(pace.asked(at: .seconds(5)) == .none)
        #expect(pace.asked(at: .seconds(14)) == .none)
        pace.began(at: .seconds(15))
        #expect(pace.asked(at: .seconds(16)) == .later(.seconds(9)))
        pace.began(at: .seconds(25))
        #expect(pace.asked(at: .seconds(35)) == .now)
    }

    @Test func `a storm has it given back once every 10 seconds`() {
        var pace = GivingBack()
        var times: [Duration] = []
        var due: Duration?
        for step in 0..<1_000 {
            let now = Duration.milliseconds(100 * step)
            if let time = due, time <= now {
                pace.began(at: now)
                times.append(now)
                due = nil
            }
            switch pace.asked(at: now) {
            case .now: times.append(now)
            case .later(let wait): due = now + wait
            case .none: break
            }
        }
        #expect(times == (0..<10).map { .seconds(10 * $0) })
    }
}
