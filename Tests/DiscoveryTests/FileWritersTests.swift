// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import Discovery

struct FileWritersTests {
    private static func writer(after masks: [Int32]) -> FileListing.Writer {
        var writers = FileWriters()
        for mask in masks {
            writers.note(InotifyEvent(watch: mask == IN_Q_OVERFLOW ? -1 : 1, mask: UInt32(mask), name: "a.yaml"))
        }
        return writers.writer(of: WatchedName(watch: 1, name: "a.yaml"))
    }

    @Test(
        arguments: [
            ([], .unknown),
            ([IN_CREATE], .unknown),
            ([IN_CREATE, IN_MODIFY], .writing),
            ([IN_CREATE, IN_MODIFY, IN_CLOSE_WRITE], .done),
            ([IN_CLOSE_WRITE, IN_MODIFY], .writing),
            ([IN_MOVED_TO], .done),
            ([IN_MODIFY, IN_DELETE], .unknown),
            ([IN_MODIFY, IN_MOVED_FROM], .unknown),
            ([IN_MODIFY, IN_Q_OVERFLOW], .unknown),
            ([IN_MODIFY, IN_IGNORED], .unknown),
        ] as [([Int32], FileListing.Writer)]
    )
    func `the last event decides`(masks: [Int32], writer: FileListing.Writer) {
        #expect(Self.writer(after: masks) == writer)
    }

    @Test func `a close is told once, and who is writing is told until the close`() {
        var writers = FileWriters()
        writers.note(InotifyEvent(watch: 1, mask: UInt32(IN_CLOSE_WRITE), name: "a.yaml"))
        writers.note(InotifyEvent(watch: 1, mask: UInt32(IN_MODIFY), name: "b.yaml"))
        let told = [writers.take(), writers.take()].map { writers in
            ["a.yaml", "b.yaml"].map { writers.writer(of: WatchedName(watch: 1, name: $0)) }
        }
        #expect(told == [[.done, .writing], [.unknown, .writing]])
    }

    @Test func `the same name in another directory is another file`() {
        var writers = FileWriters()
        writers.note(InotifyEvent(watch: 2, mask: UInt32(IN_CLOSE_WRITE), name: "a.yaml"))
        #expect(writers.writer(of: WatchedName(watch: 1, name: "a.yaml")) == .unknown)
    }
}
