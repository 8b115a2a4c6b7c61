// SPDX-License-Identifier: Apache-2.0

import Catalog
import Discovery

/// The shorthand of tests about allocations.
enum Sample {
    static func allocationID(_ number: Int) -> String {
        let digits = String(number)
        return "5ca1ab1e-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }

    static func registrationID(_ allocation: Int, service: String = "web") -> String {
        "_nomad-task-\(Self.allocationID(allocation))-group-web-\(service)-http"
    }

    static func instance(
        _ allocation: Int,
        service: String = "web",
        health: Instance.Health = .passing,
        isDraining: Bool = false
    ) -> Instance {
        Instance(
            id: InstanceID(Self.registrationID(allocation, service: service)),
            address: "10.0.0.\(allocation % 250 + 1)",
            port: 8080,
            health: health,
            isDraining: isDraining,
            origin: Origin(file: "consul:dc1/\(service)")
        )
    }

    static func service(_ name: String = "web", _ instances: [Instance]) -> Service {
        Service(name: ServiceName(name), instances: instances, origin: Origin(file: "consul:dc1/\(name)"))
    }

    static func update(
        _ services: [Service],
        source: SourceName = .consul,
        isComplete: Bool = false,
        without gone: [String] = []
    ) -> CatalogUpdate {
        var all: [ServiceName: Service?] = [:]
        for service in services { all[service.name] = .some(service) }
        for name in gone { all[ServiceName(name)] = .some(nil) }
        return CatalogUpdate(source: source, isComplete: isComplete, services: all)
    }

    static func fact(
        _ number: Int,
        desired: AllocationFact.DesiredStatus = .run,
        client: AllocationFact.ClientStatus = .running,
        isCanary: Bool = false,
        isMigrating: Bool = false
    ) -> AllocationFact {
        AllocationFact(
            id: Self.allocationID(number),
            namespace: "default",
            job: "web",
            jobVersion: 3,
            group: "web",
            deployment: "d1",
            isCanary: isCanary,
            nodeID: "n1",
            desired: desired,
            client: client,
            isMigrating: isMigrating
        )
    }

    static func facts(_ facts: [AllocationFact], isComplete: Bool = false, without gone: [Int] = []) -> NomadFactsUpdate
    {
        var all: [String: AllocationFact?] = [:]
        for fact in facts { all[fact.id] = .some(fact) }
        for number in gone { all[Self.allocationID(number)] = .some(nil) }
        return NomadFactsUpdate(isComplete: isComplete, allocations: all)
    }
}
