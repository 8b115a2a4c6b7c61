// SPDX-License-Identifier: Apache-2.0

package import Catalog
package import Routing

/// What the proxies that certain gateways select are to hold.
package struct Translation: Sendable {
    /// By kind and name.
    package internal(set) var entries: [TranslatedResource.Kind: [String: TranslatedResource]] = [:]
    package internal(set) var diagnostics: [Diagnostic] = []
    /// Of the entries that somebody wrote in Envoy's words.
    var rawKeys: [ResourceReference] = []
    package internal(set) var standing = RawStanding()

    /// In the order of their kinds and names.
    package var resources: [TranslatedResource] {
        TranslatedResource.Kind.allCases.flatMap { kind in
            (self.entries[kind] ?? [:]).values.sorted { $0.name < $1.name }
        }
    }
}

/// What the proxies that all of `gateways` select are to hold.
///
/// Equal inputs give equal messages: their encoding is their version. What two gateways cannot both have on one proxy, the
/// one with the smaller name has. Nothing names what is not there.
///
/// - Parameters:
///   - previous: what the same proxies are to hold until now. What it has stays where its successor cannot be used.
///   - standing: of all proxies; nil: that of `previous`.
package func translate(
    _ gateways: [GatewayTopology],
    configSource: ConfigSource = .ads,
    previous: Translation? = nil,
    standing: RawStanding? = nil
) -> Translation {
    let gateways = gateways.sorted { $0.name < $1.name }
    var translator = Translator(gateways, configSource: configSource)
    translator.translation.standing = standing ?? previous?.standing ?? RawStanding()
    translator.translation.standing.read(gateways.flatMap(\.rawResources))
    for gateway in gateways {
        translator.add(gateway)
    }
    // After all that is translated: an untranslated resource never takes the place of one.
    for gateway in gateways {
        for raw in gateway.rawResources {
            translator.add(raw)
        }
    }
    translator.addLastGood(previous: previous)
    var translation = translator.translation
    translation.holdBackInconsistent(previous: previous, unusable: translator.unusable, for: translator.gateways)
    translation.diagnostics = translation.diagnostics.inOrder
    translation.standing.note(translation, for: translator.gateways)
    return translation
}
