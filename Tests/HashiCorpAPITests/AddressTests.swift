// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import Testing

@Suite struct AddressTests {
    @Test(arguments: [
        ("127.0.0.1:8500", APIAddress.http(host: "127.0.0.1", port: 8500)),
        ("consul.example", .http(host: "consul.example", port: 80)),
        ("http://a:1/", .http(host: "a", port: 1)),
        ("HTTPS://a", .https(host: "a", port: 443)),
        ("[::1]:8500", .http(host: "::1", port: 8500)),
        ("https://[fe80::1]", .https(host: "fe80::1", port: 443)),
        ("unix:///run/consul.sock", .unix(path: "/run/consul.sock")),
    ])
    func `addresses are read as HashiCorp's programs read them`(text: String, address: APIAddress) throws {
        #expect(try APIAddress(text) == address)
    }

    @Test(arguments: [
        ("", "no address"), ("http://", "no address"), ("a b:1", "no address"), ("a:0", "1 to 65535"),
        ("a:70000", "1 to 65535"), ("a:", "1 to 65535"), ("::1", "brackets"), ("[::1", "without a"),
        ("[::1]x", "goes on"), ("ftp://a", "use http, https or unix"), ("unix://run/x", "unix:///"),
        ("http://a/b", "no address"),
    ])
    func `what is no address is told with the cure`(text: String, word: String) {
        let error = #expect(throws: APIAddress.InvalidText.self) { try APIAddress(text) }
        #expect(error?.description.contains(word) == true)
    }

    @Test func `a password in an address is not repeated`() {
        let error = #expect(throws: APIAddress.InvalidText.self) { try APIAddress("http://me:sesame@a:1") }
        #expect(error?.description.contains("sesame") == false)
    }

    @Test func `TLS that is asked for is not undone by a scheme`() throws {
        #expect(try APIAddress("http://a:1", isSecure: true) == .https(host: "a", port: 1))
        #expect(throws: APIAddress.InvalidText.self) { try APIAddress("unix:///a", isSecure: true) }
    }
}
