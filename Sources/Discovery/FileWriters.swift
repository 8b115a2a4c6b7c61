// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Who is done writing which file and who is not, as far as inotify tells: a listing cannot show that.
struct FileWriters: Hashable, Sendable {
    /// Closed after writing, or moved here in one piece.
    private var closed: Set<WatchedName> = []
    /// Written to, and not closed since.
    private var open: Set<WatchedName> = []

    mutating func note(_ event: InotifyEvent) {
        let file = WatchedName(watch: event.watch, name: event.name)
        if event.isOverflow {
            // Any of them may have been closed meanwhile.
            self.open = []
        } else if event.completesFile {
            self.open.remove(file)
            self.closed.insert(file)
        } else if event.writesFile {
            self.open.insert(file)
            self.closed.remove(file)
        } else if event.endsFile {
            self.open.remove(file)
        } else if event.endsWatch {
            self.open = self.open.filter { $0.watch != event.watch }
        }
    }

    /// What is known now. That a file was closed is told once: it is read then.
    mutating func take() -> FileWriters {
        defer { self.closed = [] }
        return self
    }

    func writer(of file: WatchedName) -> FileListing.Writer {
        if self.closed.contains(file) { return .done }
        return self.open.contains(file) ? .writing : .unknown
    }
}

/// An entry of a watched directory, as inotify names it.
struct WatchedName: Hashable, Sendable {
    var watch: Int32
    var name: String
}
