// SPDX-License-Identifier: Apache-2.0

/// What a load test reports: the keys of its JSON, in their order. They are stable; each is always there, and null if it
/// was not measured.
package enum LoadFigure: String, CaseIterable, Sendable {
    case failure
    case variant
    case streams
    case changes
    case seed
    case clusters
    case resourcesHeld = "resources_held"
    case sync = "sync_s"
    case syncMedian = "sync_p50_s"
    case syncResponses = "sync_responses"
    case syncResources = "sync_resources"
    case syncBytes = "sync_bytes"
    case propagationMedian = "propagation_p50_ms"
    case propagation99 = "propagation_p99_ms"
    case propagationMaximum = "propagation_max_ms"
    case lastStreamMedian = "last_stream_p50_ms"
    case lastStream99 = "last_stream_p99_ms"
    case lastStreamMaximum = "last_stream_max_ms"
    case touchMedian = "touch_p50_ms"
    case touch99 = "touch_p99_ms"
    case responsesPerChange = "responses_per_change"
    case resourcesPerChange = "resources_per_change"
    case bytesPerChange = "bytes_per_change"
    case responsesPerStream = "responses_per_change_and_stream"
    case resourcesPerStream = "resources_per_change_and_stream"
    case bytesPerStream = "bytes_per_change_and_stream"
    case resentClusters = "resent_unchanged_clusters"
    case resentEndpoints = "resent_unchanged_endpoints"
    case resentListeners = "resent_unchanged_listeners"
    case resentRoutes = "resent_unchanged_routes"
    case resent = "resent_unchanged"
    case unexpected = "unexpected_resources"
    case removals
    case serverCPUSync = "server_cpu_sync_s"
    case serverCPUPerChange = "server_cpu_per_change_ms"
    case serverCPUPerStream = "server_cpu_per_change_and_stream_us"
    case serverRSSBefore = "server_rss_before_bytes"
    case serverRSSSync = "server_rss_sync_bytes"
    case serverRSSEnd = "server_rss_end_bytes"
    case clientCPUSync = "client_cpu_sync_s"
    case clientCPUPerChange = "client_cpu_per_change_ms"
    case clientCPUPerStream = "client_cpu_per_change_and_stream_us"
    case clientRSS = "client_rss_bytes"
    case cycles
    case cyclesTime = "cycles_s"
    case serverCPUCycles = "server_cpu_cycles_s"
    case serverCPUPerCycle = "server_cpu_per_cycle_ms"
    case serverRSSFirstBatch = "server_rss_first_batch_bytes"

    /// In words.
    package var meaning: String {
        switch self {
        case .failure: "why the run ended early; null if it did not"
        case .variant: "delta or sotw"
        case .streams: "streams, each on a connection of its own; with cycles: of a batch"
        case .changes: "changes that every stream got"
        case .seed: "of the generator that chooses the services"
        case .clusters: "clusters that a stream holds"
        case .resourcesHeld: "resources that a stream holds"
        case .sync: "from the first connect to the last stream in sync: clusters, their endpoints, listener, routes"
        case .syncMedian: "the same, to half of the streams"
        case .syncResponses: "responses until then, of all streams"
        case .syncResources: "resources in them"
        case .syncBytes: "bytes of them, without the framing of gRPC and HTTP"
        case .propagationMedian: "from just before POST /touch is written to receipt, over changes and streams"
        case .propagation99, .propagationMaximum: "the same"
        case .lastStreamMedian: "from just before POST /touch is written to the last stream's receipt, over changes"
        case .lastStream99, .lastStreamMaximum: "the same"
        case .touchMedian: "from just before POST /touch is written to its answer, over changes"
        case .touch99: "the same"
        case .responsesPerChange: "responses after the sync, of all streams, by change"
        case .resourcesPerChange: "resources in them"
        case .bytesPerChange: "bytes of them"
        case .responsesPerStream: "the same, by stream; 1 is best"
        case .resourcesPerStream: "the same, by stream; 1 is best"
        case .bytesPerStream: "the same, by stream"
        case .resentClusters: "clusters sent after the sync in the version (delta) or bytes (sotw) that were held"
        case .resentEndpoints, .resentListeners, .resentRoutes: "the same, of this type"
        case .resent: "the sum of these"
        case .unexpected: "resources that changed and were not touched"
        case .removals: "names in removed_resources"
        case .serverCPUSync: "user and system time of the server until 0.3 s after the sync"
        case .serverCPUPerChange: "the same from there until 0.3 s after the last change, by change"
        case .serverCPUPerStream: "the same, by stream"
        case .serverRSSBefore: "resident memory of the server before the first connect"
        case .serverRSSSync: "the same after the sync"
        case .serverRSSEnd: "the same at the end; with cycles: when the last streams have been closed"
        case .clientCPUSync, .clientCPUPerChange, .clientCPUPerStream:
            "the load generator's own, on the same cores"
        case .clientRSS: "the load generator's own, at the end"
        case .cycles: "streams opened, synced and closed again"
        case .cyclesTime: "how long that took"
        case .serverCPUCycles: "user and system time of the server for it"
        case .serverCPUPerCycle: "the same, by stream"
        case .serverRSSFirstBatch: "resident memory of the server when the first batch has been closed"
        }
    }

    /// Every key with its meaning, a line each.
    package static var explanation: String {
        Self.allCases.map { "\($0.rawValue): \($0.meaning)" }.joined(separator: "\n")
    }
}
