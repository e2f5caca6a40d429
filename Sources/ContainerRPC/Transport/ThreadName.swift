import CPlatform

#if canImport(Darwin)
    import Darwin
#endif

/// What a thread is called in `top -H` and in a debugger.
package enum ThreadName {
    /// Names the calling thread; the system keeps 15 bytes of it.
    ///
    /// Foundation tells the system only once the one who has started the thread has learned its handle, for which a thread
    /// that names itself as the first thing that it does may come too early.
    package static func set(_ name: String) {
        #if os(Linux)
            cplatform_name_thread(name)
        #elseif canImport(Darwin)
            pthread_setname_np(name)
        #endif
    }
}
