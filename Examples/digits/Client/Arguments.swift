import ArgumentParser
import Foundation

/// Reads an address such as `http://127.0.0.1:1337`.
func httpAddress(_ text: String) throws -> URL {
    guard let url = URL(string: text), let scheme = url.scheme, ["http", "https"].contains(scheme), url.host() != nil
    else {
        throw ValidationError("'\(text)' is no address such as http://127.0.0.1:1337")
    }
    return url
}

/// Tells a person how far the client is; results alone go to standard output.
func log(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
}
