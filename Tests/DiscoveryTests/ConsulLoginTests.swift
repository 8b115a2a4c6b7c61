// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import Discovery

final class ConsulLoginTests: Sendable {
    private let state = Mutex(ConsulLoginState())

    private func begins(_ identity: String?) -> Bool { self.state.withLock { $0.begin(identity) } }

    /// Whether it logs in, and the token that is given back.
    private func logIn(_ identity: String, as token: String) -> (isNew: Bool, old: String?) {
        self.state.withLock { state in
            guard state.begin(identity) else { return (false, nil) }
            defer { state.end() }
            return (true, state.isLoggedIn(token, for: identity))
        }
    }

    private func refuse(_ generation: Int) { self.state.withLock { $0.refused(generation) } }

    @Test func `a token is had once, and again for another identity`() {
        #expect(self.logIn("jwt", as: "one") == (true, nil))
        #expect(!self.begins("jwt"))
        #expect(!self.begins(nil))
        #expect(self.logIn("other", as: "two") == (true, "one"))
        #expect(self.begins("third"))
        // That login is under way.
        #expect(!self.begins("third"))
        #expect(self.state.withLock { $0.leave() } == "two")
    }

    @Test func `a token that is refused is not given back`() {
        #expect(self.logIn("jwt", as: "one") == (true, nil))
        self.refuse(self.state.withLock(\.generation))
        #expect(self.logIn("jwt", as: "two") == (true, nil))
    }

    @Test func `a request that was sent with the old token says nothing of the new one`() {
        #expect(self.logIn("jwt", as: "one") == (true, nil))
        let sent = self.state.withLock(\.generation)
        #expect(self.logIn("other", as: "two") == (true, "one"))
        self.refuse(sent)
        #expect(!self.begins("other"))
        self.refuse(self.state.withLock(\.generation))
        #expect(self.begins("other"))
    }
}
