// SPDX-License-Identifier: Apache-2.0

package import Catalog
package import Routing

/// What the operator's files say, as one thing: which documents are in force, and what is wrong with the others. Total:
/// any bytes in any order make diagnostics and never an error.
///
/// - A document is known by its kind and name. Of several with the same, the one in force stays in force; if there is
///   none, the first by file and line is.
/// - While a file is broken (unreadable, or with a document that is not good), its last good documents stay in force
///   where no good document takes their place. Once it is whole again, exactly what it says counts.
/// - Documents that vanish in large numbers are held in force by the removal guard.
package struct DocumentSet: Sendable {
    package struct Options: Sendable {
        /// Whether documents of the kind `envoy-resource` are accepted.
        package var allowRawResources: Bool
        /// The share of the documents of a kind, in per cent, that may vanish within `removalWindow`. 0: any.
        package var removalGuard: Int
        package var removalWindow: Duration

        package init(
            allowRawResources: Bool = false,
            removalGuard: Int = 50,
            removalWindow: Duration = .seconds(60)
        ) {
            self.allowRawResources = allowRawResources
            self.removalGuard = removalGuard
            self.removalWindow = removalWindow
        }
    }

    /// In the order of their names.
    package private(set) var services: [Service] = []
    package private(set) var policy = Policy()
    /// In the order of their origins.
    package private(set) var diagnostics: [Diagnostic] = []

    private let options: Options
    private var files: [String: FileState] = [:]
    private var removalGuard: RemovalGuard
    private var inForce: [Document.Key: Document] = [:]

    package init(options: Options = Options()) {
        self.options = options
        self.removalGuard = RemovalGuard(percent: options.removalGuard, window: options.removalWindow)
    }

    /// Takes note of changed files. Only these are parsed. `now` is the time since any fixed point, and never goes
    /// back. Returns whether what is in force or the diagnostics changed.
    ///
    /// - Parameter accepted: files of which an operator said that they are to go.
    package mutating func apply(_ changes: [FileChange], accepted: Set<String> = [], at now: Duration) -> Bool {
        for change in changes {
            switch change.content {
            case .removed:
                self.files[change.path] = nil
            case .unreadable(let reason):
                self.files[change.path, default: FileState()].apply(FileReading(unreadable: reason, file: change.path))
            case .bytes(let bytes):
                let reading = FileReading(bytes, file: change.path, allowRawResources: self.options.allowRawResources)
                self.files[change.path, default: FileState()].apply(reading)
            }
        }
        let election = Election(files: self.files, inForce: self.inForce)
        self.removalGuard.update(from: self.inForce, to: election.winners, accepted: accepted, at: now)
        return self.publish(election)
    }

    /// What the removal guard holds, sorted, and since when.
    package var held: (documents: [String], since: Duration)? {
        self.removalGuard.heldSince.map { (self.removalGuard.held.keys.sorted().map { "\($0)" }, $0) }
    }

    /// Lets go of what the removal guard holds. Returns whether there was anything.
    @discardableResult
    package mutating func acceptRemovals() -> Bool {
        self.removalGuard.acceptRemovals()
        return self.publish(Election(files: self.files, inForce: self.inForce))
    }

    private mutating func publish(_ election: Election) -> Bool {
        let inForce = election.winners.merging(self.removalGuard.held) { defined, _ in defined }
        let diagnostics =
            self.files.values.flatMap(\.diagnostics) + election.diagnostics + self.heldDiagnostics(in: inForce)
        let sorted = diagnostics.sorted {
            ($0.origin, $0.code, $0.message) < ($1.origin, $1.code, $1.message)
        }
        let isChanged = (documents: inForce != self.inForce, diagnostics: sorted != self.diagnostics)
        if isChanged.documents {
            self.inForce = inForce
            (self.services, self.policy) = Self.sort(inForce.values)
        }
        self.diagnostics = sorted
        return isChanged.documents || isChanged.diagnostics
    }

    private static func sort(_ documents: some Collection<Document>) -> ([Service], Policy) {
        var services: [Service] = []
        var policy = Policy()
        for document in documents {
            switch document.body {
            case .service(let service): services.append(service)
            case .gateway(let gateway): policy.gateways[gateway.name] = gateway
            case .route(let route): policy.routes[route.name] = route
            case .serviceDefaults(let defaults): policy.serviceDefaults[defaults.service] = defaults
            case .rawResource(let resource): policy.rawResources[resource.name] = resource
            }
        }
        return (services.sorted { $0.name < $1.name }, policy)
    }

    private func heldDiagnostics(in inForce: [Document.Key: Document]) -> [Diagnostic] {
        let byKind = Dictionary(grouping: self.removalGuard.held.values, by: \.key.kind)
        return byKind.values.compactMap { documents in
            let documents = documents.sorted { $0.key < $1.key }
            guard let first = documents.first else { return nil }
            let kind = first.key.kind
            let total = inForce.keys.count { $0.kind == kind }
            let names = documents.prefix(5).map(\.key.name).joined(separator: ", ")
            let more = documents.count > 5 ? " and \(documents.count - 5) more" : ""
            return Diagnostic(
                .error,
                code: Code.removalsHeld.rawValue,
                subject: documents.count == 1 ? "\(first.key)" : nil,
                message:
                    "\(documents.count) of \(total) \(kind.named(count: total)) in force are in no file or key any more: "
                    + "\(names)\(more); they are held",
                cure: "restore them; or accept with signalbox catalog accept --source file, "
                    + "or restart with --removal-guard 0",
                origin: first.origin
            )
        }
    }
}
