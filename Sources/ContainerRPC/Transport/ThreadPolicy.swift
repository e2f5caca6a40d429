import CPlatform

/// How the kernel lets the threads that a query passes take turns.
package enum ThreadPolicy {
    /// When the calling thread is woken, it does not push aside whoever runs on its processor, but waits until that one has
    /// nothing to do or has had its share. Threads that it starts, those of libzmq among them, do the same.
    ///
    /// A query passes up to seven threads, each of which wakes the next. Where all processors are busy and each one
    /// that is woken runs at once, every thread gets its work piece by piece, and most of the time goes into changing
    /// threads. Where it runs a moment later, the work has gathered: batches are larger, and dearer calls fewer.
    /// Where a processor is idle, nothing changes.
    ///
    /// It is Linux's `SCHED_BATCH`; elsewhere nothing happens. A thread that has been given another policy than the usual
    /// one keeps it, so that `chrt` has the last word.
    package static func gatherWork() {
        #if os(Linux)
            cplatform_sched_batch()
        #endif
    }
}
