// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import XDSServer

/// Where Consul and Nomad are reached, and which addresses no catalog leads to.
extension Settings {
    var consulEnvironment: ConsulEnvironment {
        get throws {
            do {
                return try ConsulEnvironment(Environment.all)
            } catch {
                throw SettingsError(description: "\(error)")
            }
        }
    }

    var nomadEnvironment: NomadEnvironment {
        get throws {
            do {
                return try NomadEnvironment(Environment.all)
            } catch {
                throw SettingsError(description: "\(error)")
            }
        }
    }

    var consulAgent: APIConfiguration {
        get throws {
            let environment = try self.consulEnvironment
            return try self.agent(environment.api, prefix: "consul", isSecure: environment.isSecure)
        }
    }

    var nomadAgent: APIConfiguration {
        get throws { try self.agent(try self.nomadEnvironment.api, prefix: "nomad", isSecure: false) }
    }

    /// What the product's own variables say, with our settings of the same over it.
    private func agent(
        _ environment: APIConfiguration,
        prefix: String,
        isSecure: Bool
    ) throws -> APIConfiguration {
        var agent = environment
        if let address = self.sources.text("\(prefix).address") {
            do {
                agent.address = try APIAddress(address, isSecure: isSecure)
                agent.pathPrefix = ""
            } catch {
                throw SettingsError(description: "\(prefix).address: \(error)")
            }
        }
        if let token = self.sources.text("\(prefix).token") {
            (agent.token, agent.tokenOrigin) = (.value(token), "\(prefix).token")
        }
        if let file = self.sources.text("\(prefix).token.file") {
            (agent.token, agent.tokenOrigin) = (.file(path: file), "\(prefix).token.file")
        }
        if self.sources.text("\(prefix).auth.method") != nil, agent.token == .none {
            agent.tokenOrigin = "\(prefix).auth.method"
        }
        return agent
    }

    // MARK: Addresses

    /// A catalog leads to nobody on this machine, never to ourselves, and to those whom we ask only if that is said.
    var addressRules: AddressRules {
        get throws {
            AddressRules(
                allowed: try self.places("catalog.allow.addresses"),
                denied: try self.places("catalog.deny.addresses"),
                reserved: try self.reserved
            )
        }
    }

    private func places(_ key: String) throws -> [AddressRules.Place] {
        try (self.sources.list(key) ?? []).map { text in
            guard let place = AddressRules.Place(text) else {
                throw SettingsError(
                    description:
                        "\(key): '\(text)' is no address, no range as 10.0.0.0/8 and none of these with a port, as "
                        + "10.0.0.1:8080"
                )
            }
            return place
        }
    }

    private var reserved: [AddressRules.Reserved] {
        get throws {
            var reserved = (self.xdsAddresses + [self.adminAddress]).flatMap { address -> [AddressRules.Reserved] in
                switch address {
                case .ipv4(let host, let port), .ipv6(let host, let port), .name(let host, let port):
                    AddressRules.reserved(host: host, port: UInt16(clamping: port), by: .signalbox)
                case .unix: []
                }
            }
            if self.sources.flag("consul.enabled") {
                reserved += AddressRules.reserved(at: try self.consulAgent.address, by: .consul)
            }
            if self.sources.flag("nomad.enabled") {
                reserved += AddressRules.reserved(at: try self.nomadAgent.address, by: .nomad)
            }
            return reserved + AddressRules.envoyAdmin
        }
    }
}

extension AddressRules {
    fileprivate static func reserved(at address: APIAddress, by owner: Reserved.Owner) -> [Reserved] {
        switch address {
        case .http(let host, let port), .https(let host, let port):
            Self.reserved(host: host, port: UInt16(clamping: port), by: owner)
        case .unix: []
        }
    }
}
