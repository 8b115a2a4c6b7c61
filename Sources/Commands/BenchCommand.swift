// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Bench
import Logging
import Metrics
import ServiceLifecycle
import Telemetry
import UnixSignals
import XDSServer

/// For who works on Signalbox, and not for operators: hidden.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the xDS server, or another one, and the pure core.",
        shouldDisplay: false,
        subcommands: [BenchServeCommand.self, BenchLoadCommand.self, BenchCoreCommand.self]
    )
}

struct BenchServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve a made-up fleet to every proxy.",
        discussion: """
            The engine is that of `signalbox serve`. Services are named service-00000 and so on. On the admin address, \
            POST /touch?service=K moves an endpoint of the K-th service, PUT /state replaces everything, GET /healthz \
            answers 200. Prints "ready" when both addresses are open.
            """
    )

    @Option(help: ArgumentHelp("How many services; 0 for an empty world, until a state is put.", valueName: "n"))
    var services = 0

    @Option(help: ArgumentHelp("How many endpoints each has.", valueName: "n"))
    var endpoints = 10

    @Option(help: ArgumentHelp("Where to serve xDS.", valueName: "host:port"))
    var addr: NetworkAddress

    @Option(help: ArgumentHelp("Where to be changed.", valueName: "host:port"))
    var admin: NetworkAddress

    @Option(
        help: "trace, debug, info, notice, warning, error or critical.",
        transform: { text in
            guard let level = Logger.Level(rawValue: text) else { throw ValidationError("there is no such level") }
            return level
        }
    )
    var logLevel = Logger.Level.warning

    func validate() throws {
        if let refusal = BenchServer.refusal(services: self.services, endpoints: self.endpoints) {
            throw ValidationError("--services, --endpoints: \(refusal)")
        }
    }

    func run() async throws {
        let level = SharedLogLevel(self.logLevel)
        LoggingSystem.bootstrap { LineLogHandler(label: $0, format: .text, level: level) }
        // As in `serve`, so that they cost what they cost there.
        let prometheus = PrometheusCollectorRegistry(descriptions: MetricDescriptions.all)
        MetricsSystem.bootstrap(PrometheusMetricsFactory(registry: prometheus))
        let logger = Logger(label: "signalbox")
        let server = BenchServer(
            services: self.services,
            endpoints: self.endpoints,
            address: self.addr,
            adminAddress: self.admin,
            logger: logger
        ) { StandardOutput.write("ready\n") }
        let group = ServiceGroup(
            services: server.runnables,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        do {
            try await group.run()
        } catch {
            StandardOutput.note("\(error)")
            throw ExitCode.failure
        }
    }
}

struct BenchLoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Be many proxies, and measure how changes reach them.",
        discussion: """
            Opens the streams, each on a connection of its own, waits until all are in sync, then moves endpoints of \
            chosen services by POST /touch, one after another, each when every stream has got the one before. Exit \
            codes: 0 all was done; 1 something failed, which the report or, if there is none, standard error says. The keys of the report:

            \(LoadFigure.explanation)
            """
    )

    enum Output: String, CaseIterable, ExpressibleByArgument {
        case text, json
    }

    @Option(help: ArgumentHelp("Where the server speaks xDS.", valueName: "host:port"))
    var addr: NetworkAddress

    @Option(help: ArgumentHelp("Where it takes POST /touch.", valueName: "host:port"))
    var admin: NetworkAddress

    @Option(help: ArgumentHelp("How many streams.", valueName: "n"))
    var streams = 100

    @Option(help: "delta or sotw.")
    var variant = Variant.delta

    @Option(help: ArgumentHelp("How many changes.", valueName: "n"))
    var changes = 100

    @Option(help: ArgumentHelp("How long to pause between the end of a change and the next.", valueName: "ms"))
    var intervalMs = 0

    @Option(help: ArgumentHelp("The server's process, for CPU time and memory.", valueName: "pid"))
    var serverPid: Int32?

    @Option(help: ArgumentHelp("Chooses the services.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("How long a connection, the sync, or one change may take.", valueName: "s"))
    var timeout = 60

    @Option(help: ArgumentHelp("Open, sync and close so many streams, in batches, and change nothing.", valueName: "n"))
    var cycles: Int?

    @Option(name: .shortAndLong, help: "text or json.")
    var output = Output.text

    func validate() throws {
        guard (1...100_000).contains(self.streams) else { throw ValidationError("--streams must be 1 to 100000") }
        guard self.changes >= 0, self.intervalMs >= 0, self.timeout > 0, self.cycles ?? 1 > 0 else {
            throw ValidationError("--changes, --interval-ms, --timeout or --cycles is too small")
        }
    }

    func run() throws {
        var options = LoadTest.Options(address: self.addr, adminAddress: self.admin, streams: self.streams)
        options.variant = self.variant
        options.changes = self.changes
        options.interval = .milliseconds(self.intervalMs)
        options.serverPID = self.serverPid
        options.seed = self.seed
        options.timeout = .seconds(self.timeout)
        options.cycles = self.cycles
        let report: LoadReport
        do {
            report = try LoadTest(options).run()
        } catch {
            StandardOutput.note("\(error)")
            throw ExitCode.failure
        }
        switch self.output {
        case .text: StandardOutput.write(report.text)
        case .json: try StandardOutput.write(json: report)
        }
        if !report.isComplete { throw ExitCode.failure }
    }
}

extension Variant: ExpressibleByArgument {}

extension NetworkAddress: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}
