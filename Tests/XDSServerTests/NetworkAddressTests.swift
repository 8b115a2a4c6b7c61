// SPDX-License-Identifier: Apache-2.0

import Testing
import XDSServer

struct NetworkAddressTests {
    @Test(arguments: [
        ("127.0.0.1:18000", NetworkAddress.ipv4(host: "127.0.0.1", port: 18000), true),
        ("localhost:1", .ipv4(host: "127.0.0.1", port: 1), true),
        ("0.0.0.0:0", .ipv4(host: "0.0.0.0", port: 0), false),
        ("[::1]:65535", .ipv6(host: "::1", port: 65535), true),
        ("[::]:18000", .ipv6(host: "::", port: 18000), false),
        ("xds.example.com:18000", .name(host: "xds.example.com", port: 18000), false),
        ("unix:/run/signalbox.sock", .unix(path: "/run/signalbox.sock"), true),
        ("unix:relative:odd.sock", .unix(path: "relative:odd.sock"), true),
    ])
    func `an address is read, and printed as it is read`(text: String, address: NetworkAddress, isLocal: Bool) {
        #expect(NetworkAddress(text) == address)
        #expect(NetworkAddress(address.description) == address)
        #expect(address.isLocal == isLocal)
    }

    @Test(arguments: [
        "", ":", ":18000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:1", "[127.0.0.1]:1",
        "[::1:1", "with space:1", "unix:",
    ])
    func `what is no address is none`(text: String) {
        #expect(NetworkAddress(text) == nil)
    }
}
