// What the declarations of this module show of the protocol's: whoever uses them needs no second import, nor the name of
// another product in a manifest. All else of ContainerRPC stays behind its own import.
@_exported public import class ContainerRPC.Context
@_exported public import struct ContainerRPC.FailureCode
@_exported public import enum ContainerRPC.InputType
@_exported public import struct ContainerRPC.InputValues
@_exported public import enum ContainerRPC.LogFormat
@_exported public import struct ContainerRPC.TraceContext
@_exported public import struct ContainerRPC.TransportError
