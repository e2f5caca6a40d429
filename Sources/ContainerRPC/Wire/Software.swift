/// How this implementation of the protocol names itself to its peers.
package enum Software {
    /// The version of the package.
    package static let version = "0.1.0"
    /// Name and version, as *register* and *welcome* say them (`protocol/rpc-4.md`, section 5).
    package static let nameAndVersion = "swift-clipper/\(version)"
}
