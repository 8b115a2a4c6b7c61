// SPDX-License-Identifier: Apache-2.0

import Catalog

func instance(
    _ id: String,
    at address: String? = nil,
    port: UInt16 = 80,
    health: Instance.Health = .passing,
    weight: Int = 1,
    isDraining: Bool = false
) -> Instance {
    Instance(
        id: InstanceID(id),
        address: address ?? "10.0.0.1",
        port: port,
        weight: Weight(weight) ?? .default,
        health: health,
        isDraining: isDraining,
        origin: Origin(file: "consul/\(id)")
    )
}

func service(_ name: String, _ instances: [Instance], in source: SourceName = .consul) -> Service {
    Service(name: ServiceName(name), instances: instances, origin: Origin(file: "\(source.rawValue)/\(name)"))
}

/// Services `s0`, `s1` and so on, of as many instances each.
func fleet(_ services: Range<Int>, instances: Int = 1, health: Instance.Health = .passing) -> [Service] {
    services.map { number in
        service(
            "s\(number)",
            (0..<instances).map { instance("s\(number)-\($0)", at: "10.0.\(number).\($0 + 1)", health: health) }
        )
    }
}

extension CatalogUpdate {
    static func complete(_ services: [Service], from source: SourceName = .consul) -> CatalogUpdate {
        CatalogUpdate(
            source: source,
            isComplete: true,
            services: Dictionary(uniqueKeysWithValues: services.map { ($0.name, $0) })
        )
    }

    static func changed(
        _ services: [Service] = [],
        gone: [String] = [],
        from source: SourceName = .consul
    ) -> CatalogUpdate {
        var all: [ServiceName: Service?] = Dictionary(uniqueKeysWithValues: services.map { ($0.name, $0) })
        for name in gone { all[ServiceName(name)] = .some(nil) }
        return CatalogUpdate(source: source, isComplete: false, services: all)
    }
}

extension CatalogGuard {
    /// Guards consul only, with the default rules but for what is changed here.
    static func consul(_ change: (inout SourceRules) -> Void = { _ in }) -> CatalogGuard {
        var rules = SourceRules()
        change(&rules)
        return CatalogGuard(Settings(rules: [.consul: rules]))
    }

    @discardableResult
    mutating func complete(
        _ services: [Service],
        from source: SourceName = .consul,
        at seconds: Double
    ) -> GuardOutcome {
        self.apply(.complete(services, from: source), at: .seconds(seconds))
    }

    /// The IDs of the routable instances in force of each service that is known.
    var inForce: [String: [String]] {
        Dictionary(
            uniqueKeysWithValues: self.catalog.services.map { name, service in
                (name.rawValue, service.instances.filter(\.isRoutable).map(\.id.rawValue))
            }
        )
    }

    /// How many services have a routable instance.
    var servingCount: Int { self.inForce.count { !$0.value.isEmpty } }

    var codes: [String] { self.diagnostics.map(\.code) }
}
