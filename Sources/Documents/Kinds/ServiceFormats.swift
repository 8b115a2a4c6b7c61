// SPDX-License-Identifier: Apache-2.0

import Catalog

/// `kind: service`: a service and its instances, for services that no catalog knows.
enum ServiceFormats {
    /// So that the sum of their weights fits into the 32 bits that Envoy has for it.
    static let maximumInstances = 65_536

    static let document = Format<Document.Body>.object(
        DocumentKind.service.field,
        CommonFormats.name,
        Field(
            "instances",
            .list(of: instance.located, atMost: maximumInstances),
            .required,
            "The running copies of the service. May be empty: []."
        )
    ) { origin, faults, _, name, instances in
        faults.reportRepetitions(of: "instance id", in: instances, by: \.id, cure: "give each instance its own id")
        guard let name, let instances else { return nil }
        return .service(Service(name: ServiceName(name), instances: instances.map(\.value), origin: origin))
    }

    private static let instance = Format<Instance>.object(
        Field(
            "id",
            .nonEmptyText,
            "Tells the instance from the others of its service. Default: its address and port, as \"10.0.0.1:8080\"."
        ),
        Field("address", .ipAddress, .required, "IPv4 or IPv6 address. Host names are not resolved."),
        Field("port", .port, .required, "TCP port."),
        Field(
            "weight",
            Format.integer(in: Weight.range).map { Weight($0) },
            .default(1),
            "Share of the requests among the instances of the service. 0: no new requests."
        ),
        Field("tags", .list(of: .nonEmptyText), "Words for subsets to choose by."),
        Field("meta", .map, "Keys and values, for subsets to choose by. Values are strings: put numbers in quotes."),
        Field(
            "health",
            .choice,
            .default("passing"),
            "Requests go to instances that are passing or warning, and to none that is critical."
        ),
        Field("locality", locality, "Where the instance runs, for Envoy's locality-aware balancing.")
    ) { origin, _, id, address, port, weight, tags, meta, health, locality in
        guard let address, let port else { return nil }
        return Instance(
            id: InstanceID(id ?? (address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)")),
            address: address,
            port: port,
            weight: weight ?? .default,
            tags: Set(tags ?? []),
            meta: meta ?? [:],
            health: health ?? .passing,
            locality: locality ?? Locality(),
            origin: origin
        )
    }

    private static let locality = Format<Locality>.object(
        Field("region", .label(emptyAllowed: true), "Such as eu-west-1."),
        Field("zone", .label(emptyAllowed: true), "Within the region, such as eu-west-1a."),
        Field("subZone", .label(emptyAllowed: true), "Within the zone, such as a rack.")
    ) { _, _, region, zone, subZone in
        Locality(region: region ?? "", zone: zone ?? "", subZone: subZone ?? "")
    }
}
