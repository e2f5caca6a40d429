/// The models that have a replica for what comes: what a policy needs to know of the scheduler.
package struct ServedModels: Hashable, Sendable {
    private var isServed: [Bool] = []

    mutating func note(_ model: ModelHandle, _ isServed: Bool) {
        while self.isServed.count <= model.index { self.isServed.append(false) }
        if self.isServed[model.index] != isServed { self.isServed[model.index] = isServed }
    }

    package func contains(_ model: ModelHandle) -> Bool {
        isServed.indices.contains(model.index) && isServed[model.index]
    }
}
