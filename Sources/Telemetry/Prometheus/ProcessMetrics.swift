// SPDX-License-Identifier: Apache-2.0

/// The `process_*` metrics that every Prometheus client library has, from what the kernel tells of a process.
package struct ProcessMetrics: Hashable, Sendable {
    package var residentMemoryBytes: Double
    package var cpuSeconds: Double
    package var openFileDescriptors: Double
    /// Since 1970.
    package var startTimeSeconds: Double

    /// Nil when a text is not what proc(5) says it is.
    /// - Parameters:
    ///   - processStatus: `/proc/self/stat`
    ///   - systemStatus: `/proc/stat`
    ///   - ticks: `sysconf(_SC_CLK_TCK)`, the unit of the times.
    init?(processStatus: String, systemStatus: String, openFileDescriptors: Int, ticks: Int, pageSize: Int) {
        // The name of the program, in parentheses, may itself hold spaces and parentheses. The field after it is the
        // third.
        guard let name = processStatus.lastIndex(of: ")") else { return nil }
        let fields = processStatus[name...].split(whereSeparator: \.isWhitespace).dropFirst().map { Double($0) }
        func field(_ number: Int) -> Double? { fields.indices.contains(number - 3) ? fields[number - 3] : nil }
        let boot = systemStatus.split(separator: "\n").first { $0.hasPrefix("btime ") }
            .flatMap { Double($0.dropFirst("btime ".count)) }
        guard let user = field(14), let system = field(15), let start = field(22), let pages = field(24), let boot
        else { return nil }
        self.residentMemoryBytes = pages * Double(pageSize)
        self.cpuSeconds = (user + system) / Double(ticks)
        self.openFileDescriptors = Double(openFileDescriptors)
        self.startTimeSeconds = boot + start / Double(ticks)
    }

    package func emit(into buffer: inout [UInt8]) {
        var text = PrometheusText(buffer)
        func write(_ name: String, _ kind: PrometheusText.Kind, _ value: Double, _ help: String) {
            text.family(name, kind, help: help)
            text.sample(name, value)
        }
        write("process_cpu_seconds_total", .counter, self.cpuSeconds, "User and system time spent.")
        write("process_open_fds", .gauge, self.openFileDescriptors, "Open file descriptors.")
        write("process_resident_memory_bytes", .gauge, self.residentMemoryBytes, "Resident memory.")
        write("process_start_time_seconds", .gauge, self.startTimeSeconds, "When the process started, since 1970.")
        buffer = text.bytes
    }
}
