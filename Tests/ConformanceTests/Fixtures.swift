import TestSupport

/// Lets a few containers and frontends be judged at a time.
let turnstile = Turnstile(places: 6)
