// SPDX-License-Identifier: Apache-2.0

import Glibc

extension ProcessMetrics {
    /// Of this process, now; nil where `/proc` is not to be read.
    package static func current() -> ProcessMetrics? {
        guard
            let processStatus = self.text("/proc/self/stat"),
            let systemStatus = self.text("/proc/stat"),
            let openFileDescriptors = self.entries("/proc/self/fd")
        else { return nil }
        return ProcessMetrics(
            processStatus: processStatus,
            systemStatus: systemStatus,
            // Without the one that the directory is read through.
            openFileDescriptors: openFileDescriptors - 1,
            ticks: sysconf(Int32(_SC_CLK_TCK)),
            pageSize: sysconf(Int32(_SC_PAGESIZE))
        )
    }

    private static func text(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        while true {
            let chunk = [UInt8](unsafeUninitializedCapacity: 16 * 1024) { buffer, count in
                count = max(0, read(file, buffer.baseAddress, buffer.count))
            }
            if chunk.isEmpty { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk
        }
    }

    private static func entries(_ path: String) -> Int? {
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            // "." and ".."
            if entry.pointee.d_name.0 != UInt8(ascii: ".") { count += 1 }
        }
        return count
    }
}
