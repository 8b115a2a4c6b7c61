// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration
import XDSProtocol
import XDSServer

/// What a proxy, or somebody who pretends to be one, may cost: a row a limit. `docs/settings.md` has them, too.
struct LimitSettings {
    struct Limit: Sendable {
        var key: String
        var range: ClosedRange<Int>
        var apply: @Sendable (Int, inout XDSListener.Limits, inout StreamLimits) -> Void
    }

    static let all: [Limit] = [
        Limit(key: "xds.max.connections", range: 1...1_000_000) { value, listener, _ in
            listener.connections = value
        },
        Limit(key: "xds.max.streams.per.connection", range: 1...100_000) { value, listener, _ in
            listener.streams = value
        },
        Limit(key: "xds.max.streams.per.node", range: 1...100_000) { value, _, stream in
            stream.streamsPerNode = value
        },
        Limit(key: "xds.max.names.per.stream", range: 1...10_000_000) { value, _, stream in
            stream.subscriptions.subscriptions = value
        },
        Limit(key: "xds.max.name.bytes.per.connection", range: 65_536...(1 << 34)) { value, _, stream in
            stream.nameBytesPerConnection = value
        },
        Limit(key: "xds.max.requests.per.second", range: 1...1_000_000) { value, _, stream in
            stream.requestsPerSecond = Double(value)
        },
        Limit(key: "xds.max.request.bytes", range: 4_096...(1 << 30)) { value, _, stream in
            stream.requestBytes = value
        },
        Limit(key: "xds.max.connection.age.seconds", range: 0...31_536_000) { value, listener, _ in
            listener.age = value == 0 ? nil : .seconds(value)
        },
        Limit(key: "xds.push.interval.milliseconds", range: 0...60_000) { value, _, stream in
            stream.pushInterval = .milliseconds(value)
        },
    ]

    /// A storm of changes costs a proxy ten pushes a second.
    private static let pushInterval = Duration.milliseconds(100)

    static func read(_ reader: ConfigReader) throws -> (XDSListener.Limits, StreamLimits) {
        var listener = XDSListener.Limits()
        var stream = StreamLimits()
        stream.pushInterval = self.pushInterval
        for limit in self.all {
            guard let value = reader.int(forKey: ConfigKey(limit.key)) else { continue }
            guard limit.range.contains(value) else {
                throw SettingsError(
                    description: "\(limit.key) is \(limit.range.lowerBound) to \(limit.range.upperBound), not \(value)"
                )
            }
            limit.apply(value, &listener, &stream)
        }
        return (listener, stream)
    }
}

/// The flags of the same.
struct LimitOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Open xDS connections at most (10000).")
    var xdsMaxConnections: Int?

    @Option(parsing: .unconditional, help: "Streams of one xDS connection at most (100).")
    var xdsMaxStreamsPerConnection: Int?

    @Option(parsing: .unconditional, help: "Streams of one node ID at most (1000).")
    var xdsMaxStreamsPerNode: Int?

    @Option(parsing: .unconditional, help: "Names that one stream may subscribe to (50000).")
    var xdsMaxNamesPerStream: Int?

    @Option(
        parsing: .unconditional,
        help: "Bytes of names on all streams of a connection; of a node twice as many (33554432)."
    )
    var xdsMaxNameBytesPerConnection: Int?

    @Option(
        parsing: .unconditional,
        help: "Requests a second on a connection, ACKs not counted, after a burst of 5000 (50)."
    )
    var xdsMaxRequestsPerSecond: Int?

    @Option(parsing: .unconditional, help: "Bytes of one request at most (67108864).")
    var xdsMaxRequestBytes: Int?

    @Option(
        parsing: .unconditional,
        help: "Ends an xDS connection after so many seconds, give or take a tenth; 0: never (0)."
    )
    var xdsMaxConnectionAgeSeconds: Int?

    @Option(
        parsing: .unconditional,
        help: "Milliseconds between two pushes to a proxy at least; the first is not delayed (100)."
    )
    var xdsPushIntervalMilliseconds: Int?

    /// In the order of `LimitSettings.all`.
    var flags: [String: ConfigValue] {
        let values = [
            self.xdsMaxConnections, self.xdsMaxStreamsPerConnection, self.xdsMaxStreamsPerNode,
            self.xdsMaxNamesPerStream, self.xdsMaxNameBytesPerConnection, self.xdsMaxRequestsPerSecond,
            self.xdsMaxRequestBytes, self.xdsMaxConnectionAgeSeconds, self.xdsPushIntervalMilliseconds,
        ]
        var flags: [String: ConfigValue] = [:]
        for (limit, value) in zip(LimitSettings.all, values) {
            if let value { flags[limit.key] = ConfigValue(.int(value), isSecret: false) }
        }
        return flags
    }
}
