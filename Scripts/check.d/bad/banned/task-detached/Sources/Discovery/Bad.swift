// SPDX-License-Identifier: Apache-2.0

let task = Task.detached { 1 }
