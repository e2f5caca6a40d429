#if canImport(Glibc)
    public import Glibc
#elseif canImport(Musl)
    public import Musl
#elseif canImport(Darwin)
    public import Darwin
#endif

/// A value behind a lock of the system's.
///
/// Not Synchronization's `Mutex`: on Linux the thread sanitizer does not see it where threads contend for it, and reports
/// each such pair as a race, among which a real one would not be noticed.
///
/// `@unchecked Sendable` is safe, also where the value is not `Sendable`: it is reached only while the lock is held, and it comes
/// in and leaves `withLock` as `sending`, so the compiler sees to it that nothing outside shares what it refers to (as
/// Synchronization's `Mutex` has it).
@usableFromInline
package final class Locked<Value: ~Copyable>: @unchecked Sendable {
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
    @usableFromInline var value: Value

    package init(_ value: consuming sending Value) {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        self.value = value
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Hands out the value while the lock is held. `body` must not lock it again.
    @inlinable
    package func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
