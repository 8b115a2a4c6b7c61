// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import XDSProtocol

@Suite struct ResourceVersionTests {
    private let version = Resource(.cluster, "web", "content").version

    @Test func `equal content has an equal version`() {
        #expect(self.version == Resource(.cluster, "web", "content").version)
    }

    @Test func `it is the same in every process, on every replica and in every release`() {
        // SHA-256 of the lengths and texts of type and name and of the message, cut to 128 bits. To change it sends
        // everything to every proxy once more.
        #expect(self.version.description == "72f08776671f513e62d7bcf70080b6ae")
    }

    @Test(arguments: [
        Resource(.listener, "web", "content"), Resource(.cluster, "web2", "content"),
        Resource(.cluster, "web", "content2"), Resource(.cluster, "web", ""), Resource(.cluster, "", "webcontent"),
        // What moves from the name to the message.
        Resource(.cluster, "webcontent", ""), Resource(.cluster, "we", "bcontent"),
        Resource(.other(TypeURL.cluster.rawValue + "web"), "", "content"),
    ])
    func `another type, name or content has another version`(other: Resource) {
        #expect(other.version != self.version)
    }

    @Test func `its text reads back`() {
        for number in 0..<1_000 {
            let version = Resource(.endpoints, "e\(number)", "").version
            #expect(version.description.utf8.count == 32)
            #expect(ResourceVersion(version.description) == version)
        }
    }

    @Test(arguments: [
        "", "1", "v17", "0000000000000000000000000000000", "000000000000000000000000000000000",
        "0000000000000000000000000000000g", "                                ",
        "-0000000000000010000000000000000", "é00000000000000000000000000000",
    ])
    func `a text that we cannot have made is none`(text: String) {
        #expect(ResourceVersion(text) == nil)
    }

    @Test(arguments: [
        "+0000000000000010000000000000000", "0000000000000001+000000000000000",
        "ABCDEFABCDEFABCDABCDEFABCDEFABCD",
    ])
    func `a text that reads as a number and is not our spelling is none`(text: String) {
        // Its version's text would be another than the proxy's.
        #expect(ResourceVersion(text) == nil)
    }

    @Test func `a sum does not depend on the order`() {
        let versions = (0..<100).map { Resource(.cluster, "c\($0)", "x").version }
        let sum = ResourceVersion.Sum(versions)
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<20 {
            #expect(ResourceVersion.Sum(versions.shuffled(using: &generator)) == sum)
        }
        var added = ResourceVersion.Sum()
        for version in versions.reversed() { added.add(version) }
        #expect(added == sum)
        #expect(added.description == sum.description)
    }

    @Test func `sums of other resources differ`() {
        let versions = (0..<100).map { Resource(.cluster, "c\($0)", "x").version }
        var sums: Set<ResourceVersion.Sum> = [ResourceVersion.Sum(), ResourceVersion.Sum(versions)]
        for index in versions.indices {
            var without = versions
            without.remove(at: index)
            sums.insert(ResourceVersion.Sum(without))
            sums.insert(ResourceVersion.Sum([versions[index]]))
        }
        #expect(sums.count == 202)
    }

    @Test func `a sum's text has always the same length`() {
        #expect(ResourceVersion.Sum().description == String(repeating: "0", count: 32))
        var sum = ResourceVersion.Sum()
        for number in 0..<1_000 {
            sum.add(Resource(.cluster, "\(number)", "").version)
            #expect(sum.description.utf8.count == 32)
        }
    }
}
