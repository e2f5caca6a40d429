/// What is to become of replicas that an operator drains.
package enum Draining: Sendable, Hashable {
    /// They get nothing new.
    case begin
    /// They get nothing new, and those that have answered everything are told to end, where they speak RPC 4.
    case beginAndStop
    /// They get work again.
    case end
}
