// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import Discovery

final class ConsulLoginTests: Sendable {
    private let state = Mutex(ConsulLoginState())

    private func begins(_ identity: String?, at now: Duration = .zero) -> Bool {
        self.state.withLock { $0.begin(identity, at: now) }
    }

    /// Whether it logs in, and the token that is given back.
    private func logIn(_ identity: String, as token: String, at now: Duration = .zero) -> (isNew: Bool, old: String?) {
        self.state.withLock { state in
            guard state.begin(identity, at: now) else { return (false, nil) }
            defer { state.end() }
            return (true, state.isLoggedIn(token, for: identity, at: now))
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

    @Test func `a token that is refused is replaced at once, and given back: it may be good elsewhere`() {
        #expect(self.logIn("jwt", as: "one") == (true, nil))
        self.refuse(self.state.withLock(\.generation))
        #expect(self.logIn("jwt", as: "two") == (true, "one"))
    }

    /// An auth method that fails must not cost what is followed.
    @Test func `while the last token is good, a login that fails can wait`() {
        #expect(self.state.withLock { !$0.failed("jwt", at: .zero) })
        #expect(self.logIn("jwt", as: "one") == (true, nil))
        #expect(self.begins("other"))
        #expect(self.state.withLock { $0.failed("other", at: .zero) })
        self.state.withLock { $0.end() }
        #expect(!self.begins("other", at: .seconds(29)))
        // The file was read half written, and now it is whole.
        #expect(self.begins("other, whole", at: .seconds(1)))
        self.state.withLock { $0.end() }
        #expect(self.begins("other", at: .seconds(30)))
        self.state.withLock { $0.end() }
        self.refuse(self.state.withLock(\.generation))
        #expect(self.begins("other", at: .seconds(2)))
        #expect(self.state.withLock { !$0.failed("other", at: .seconds(2)) })
    }

    @Test func `tokens that are refused one after the other are had less and less often`() {
        var now = Duration.zero
        var logins = 0
        while now < .seconds(600) {
            if self.logIn("jwt", as: "\(logins)", at: now).isNew { logins += 1 }
            self.refuse(self.state.withLock(\.generation))
            now += .milliseconds(100)
        }
        #expect((10...20).contains(logins), "\(logins) logins")
        #expect(self.logIn("other", as: "new", at: now).isNew)
        // One that was good for long is replaced at once again.
        self.refuse(self.state.withLock(\.generation))
        #expect(self.logIn("other", as: "newer", at: now + .seconds(600)).isNew)
        self.refuse(self.state.withLock(\.generation))
        #expect(self.logIn("other", as: "newest", at: now + .seconds(600)).isNew)
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
