// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Documents

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of the documents, for editors."
    )

    func run() {
        StandardOutput.write(jsonSchema())
    }
}
