/// One registration of a container, by its number in the frontend; never used again.
package struct ReplicaID: Hashable, Sendable {
    package var number: Int

    package init(number: Int) {
        self.number = number
    }
}
