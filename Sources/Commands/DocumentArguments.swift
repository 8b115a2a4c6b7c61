// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Catalog
import ControlPlane
import Discovery
import Documents

/// The documents that a command reads once, without a server.
struct DocumentArguments: ParsableArguments {
    @Argument(help: ArgumentHelp("Files and directories of documents.", valueName: "path"))
    var paths: [String] = []

    @Flag(help: .hidden)
    var allowEnvoyResources = false

    func validate() throws {
        guard !self.paths.isEmpty else { throw ValidationError("give at least one file or directory") }
    }

    /// What the server would make of them at its start.
    func load() throws -> Pipeline {
        try self.pipeline(of: self.read())
    }

    func read() throws -> [FileChange] {
        var changes: [FileChange] = []
        for path in self.paths {
            let scan = FileScan(reading: path)
            if let problem = scan.problem {
                StandardOutput.note("\(path): \(problem)")
                throw ExitCode.unreadableInput
            }
            changes += scan.changes.map { change in
                // Named as the person who typed the command would name them.
                FileChange(
                    path: change.path == path ? path : "\(Self.directory(path))\(change.path)",
                    content: change.content
                )
            }
        }
        return changes
    }

    var options: DocumentSet.Options { DocumentSet.Options(allowRawResources: self.allowEnvoyResources) }

    func pipeline(of changes: [FileChange]) -> Pipeline {
        var pipeline = Pipeline(Pipeline.Options(documents: self.options))
        _ = pipeline.apply(changes, at: .zero)
        return pipeline
    }

    private static func directory(_ path: String) -> String {
        path.hasSuffix("/") ? path : path + "/"
    }
}
