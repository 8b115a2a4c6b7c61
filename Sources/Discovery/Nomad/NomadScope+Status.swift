// SPDX-License-Identifier: Apache-2.0

extension NomadScope {
    /// What Nomad did not answer, or with an error: the last word of each question.
    var failures: [NomadFailure] {
        var failures: [NomadFailure?] = []
        for table in self.tables where table != .nodes {
            failures += self.failures(of: table).filter { $0 != .blind }
        }
        failures += [self.names.failure, self.names.visibilityFailure]
        if !self.stream.isRefused { failures.append(self.stream.failure) }
        return failures.compactMap(\.self)
    }

    private func failures(of table: NomadTable) -> [NomadFailure] {
        // With a stream, a watch is there for what the stream may miss, and its failure is none of Nomad.
        let watch = self.stream.isOpen ? nil : self.watches[table]?.failure
        return [self.listings[table]?.failure, watch].compactMap(\.self)
    }

    /// Why what Nomad answers is not believed.
    var suspicion: String? {
        if self.names.isBlind { return NomadFailure.blind.text }
        // Of what could not be asked for nobody knows, and no right is known to be missing.
        guard !self.names.hidden.isEmpty else { return nil }
        return
            "the token may not see \(self.names.hidden.sorted().named("namespace")) any more, and what was known stays; "
            + "grant it read-job there; or let go of that with signalbox catalog accept --source nomad"
    }

    /// What is done without.
    var lacks: [NomadLack] {
        var lacks: [NomadLack] = []
        if self.stream.isRefused, let failure = self.stream.failure {
            lacks.append(NomadLack(what: "without the event stream, changes are seen later", failure: failure))
        }
        if let failure = self.failures(of: .nodes).first {
            lacks.append(NomadLack(what: "nodes are not seen", failure: failure))
        }
        if let lack = NomadLack(self.names.troubles) { lacks.append(lack) }
        for table in self.tables {
            guard let failure = self.listings[table]?.rowsFailure else { continue }
            lacks.append(NomadLack(what: "of \(table.rawValue), what is known stays", failure: failure))
        }
        return lacks
    }
}
