// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import Discovery

struct InotifyEventTests {
    /// `struct inotify_event`, little-endian: watch 1, the mask, cookie 0, the name padded to `length`.
    private static func bytes(mask: Int32, name: String, length: UInt8) -> [UInt8] {
        let mask = withUnsafeBytes(of: mask.littleEndian) { Array($0) }
        let name = Array(name.utf8)
        return [1, 0, 0, 0] + mask + [0, 0, 0, 0] + [length, 0, 0, 0] + name
            + Array(repeating: 0, count: Int(length) - name.count)
    }

    @Test func `events follow one another, with and without names`() {
        let bytes =
            Self.bytes(mask: IN_CLOSE_WRITE, name: "a.yaml", length: 16)
            + Self.bytes(mask: IN_DELETE_SELF, name: "", length: 0)
            + Self.bytes(mask: IN_MOVED_TO, name: "exactly.16.bytes", length: 16)
        #expect(
            InotifyEvent.decode(bytes) == [
                InotifyEvent(watch: 1, mask: UInt32(IN_CLOSE_WRITE), name: "a.yaml"),
                InotifyEvent(watch: 1, mask: UInt32(IN_DELETE_SELF), name: ""),
                InotifyEvent(watch: 1, mask: UInt32(IN_MOVED_TO), name: "exactly.16.bytes"),
            ]
        )
    }

    @Test(arguments: 0..<32)
    func `a part of an event is nothing`(length: Int) {
        let bytes = Self.bytes(mask: IN_CLOSE_WRITE, name: "a.yaml", length: 16)
        #expect(InotifyEvent.decode(Array(bytes.prefix(length))).isEmpty)
    }

    @Test func `an overflow of the kernel's queue calls for a look`() throws {
        let bytes: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        let event = try #require(InotifyEvent.decode(bytes).first)
        #expect(event == InotifyEvent(watch: -1, mask: UInt32(IN_Q_OVERFLOW), name: ""))
        #expect(event.concernsDocuments)
    }

    @Test(arguments: [
        (IN_CLOSE_WRITE, "a.yaml", true, true),
        (IN_CLOSE_WRITE, ".a.yaml.swp", true, false),
        (IN_MODIFY, "a.yaml", false, false),
        (IN_MOVED_TO, "a.yaml", true, true),
        (IN_MOVED_TO, "..data", true, true),
        (IN_MOVED_TO | IN_ISDIR, "x", false, true),
        (IN_CREATE, "a.yaml", false, true),
        (IN_CREATE | IN_ISDIR, "x", false, true),
        (IN_ATTRIB, "a.yaml", false, true),
        (IN_DELETE_SELF, "", false, true),
        (IN_IGNORED, "", false, false),
    ])
    func `an event says whether a file is complete and whether to look`(
        mask: Int32,
        name: String,
        completesFile: Bool,
        concernsDocuments: Bool
    ) {
        let event = InotifyEvent(watch: 1, mask: UInt32(mask), name: name)
        #expect(event.completesFile == completesFile)
        #expect(event.concernsDocuments == concernsDocuments)
    }
}
