// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What the kernel says of a process now.
struct ProcessFigures: Equatable, Sendable {
    /// User and system time of all its threads, to a hundredth of a second.
    var cpuSeconds: Double
    /// `VmRSS`.
    var residentBytes: Int

    /// - Parameters:
    ///   - stat: `/proc/PID/stat`
    ///   - status: `/proc/PID/status`
    init?(stat: String, status: String, ticksPerSecond: Int) {
        // The second field is the name of the program, in parentheses, and may have anything in it; behind it there are
        // the state (3) and, at last, utime (14) and stime (15). See https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
        guard let name = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[name...].split(separator: " ")
        guard fields.count > 13, let user = Int(fields[12]), let system = Int(fields[13]),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kilobytes = Int(line.filter(\.isNumber))
        else { return nil }
        self.cpuSeconds = Double(user + system) / Double(ticksPerSecond)
        self.residentBytes = kilobytes * 1_024
    }

    /// Of a running process; nil if there is none, or no `/proc`.
    init?(of pid: Int32) {
        guard let stat = Self.text("/proc/\(pid)/stat"), let status = Self.text("/proc/\(pid)/status")
        else { return nil }
        self.init(stat: stat, status: status, ticksPerSecond: sysconf(Int32(_SC_CLK_TCK)))
    }

    static var own: ProcessFigures? { ProcessFigures(of: getpid()) }

    private static func text(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        // These files are smaller than a page.
        let bytes = [UInt8](unsafeUninitializedCapacity: 16 * 1_024) { buffer, count in
            count = max(0, read(file, buffer.baseAddress, buffer.count))
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
}
