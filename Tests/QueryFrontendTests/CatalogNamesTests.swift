import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Names in the catalog")
struct CatalogNamesTests {
    private static let badNames = [
        "", "a,b", "a:b", "a\nb", "a\u{7F}", "a\u{85}", String(repeating: "x", count: 257),
        String(repeating: "é", count: 129),
    ]

    @Test("Commas, colons, control characters, nothing and too much are refused in a model's name", arguments: badNames)
    func refusesModelName(name: String) {
        let error = #expect(throws: CatalogError.self) {
            try Catalog().validated(.registerModel(makeModel(name)))
        }
        #expect(error?.message.hasPrefix("model name ") == true)
    }

    @Test("The same is refused in a version", arguments: badNames)
    func refusesVersion(name: String) {
        let error = #expect(throws: CatalogError.self) {
            try Catalog().validated(.registerModel(makeModel(version: name)))
        }
        #expect(error?.message.hasPrefix("model version ") == true)
    }

    @Test("The same is refused in a label, which may be empty", arguments: badNames.dropFirst())
    func refusesLabel(name: String) {
        let error = #expect(throws: CatalogError.self) {
            try Catalog().validated(.registerModel(makeModel(labels: ["", "fine", name])))
        }
        #expect(error?.message.hasPrefix("label ") == true)
    }

    @Test(
        "The same and what cannot be a segment of a path is refused in an application's name",
        arguments: badNames + ["a/b", ".", ".."])
    func refusesApplicationName(name: String) {
        let error = #expect(throws: CatalogError.self) {
            try Catalog().validated(.registerApplication(makeApplication(name)))
        }
        #expect(error?.message.hasPrefix("application name ") == true)
    }

    @Test(
        "Any other name is fine",
        arguments: ["a", "A.b_c-d", "ein Wort", "数字", "a?b#c%20", String(repeating: "x", count: 256)])
    func accepts(name: String) throws {
        let catalog = try makeCatalog(
            .registerApplication(makeApplication(name)), .registerModel(makeModel(name, version: name, labels: [name])))
        #expect(catalog.applications[name] != nil)
        #expect(catalog.currentVersions == [name: name])
    }

    @Test("A container's name may be that of an image")
    func acceptsImages() throws {
        let model = Model(
            id: ModelVersion(name: "m", version: "1"), inputType: .bytes, containerName: "registry:5000/m:0.4,x")
        #expect(throws: Never.self) { try Catalog().validated(.registerModel(model)) }
    }

    @Test("A message says which character is refused")
    func namesTheCharacter() {
        #expect(throws: CatalogError("model name 'a,b' holds ',', which is not allowed in it")) {
            try Catalog().validated(.registerModel(makeModel("a,b")))
        }
        #expect(throws: CatalogError("model version holds the control character U+0007")) {
            try Catalog().validated(.registerModel(makeModel(version: "\u{7}")))
        }
    }

    @Test("A change spells a name as it was registered, whichever way its accents come")
    func keepsTheSpelling() throws {
        let composed = "caf\u{E9}"
        let decomposed = "cafe\u{301}"
        let catalog = try makeCatalog(
            .registerApplication(makeApplication(composed)), .registerModel(makeModel(composed)))
        let change = try catalog.validated(.linkModels(application: decomposed, models: [decomposed]))
        guard case .linkModels(let application, let models) = change else {
            Issue.record("another change came back: \(change)")
            return
        }
        #expect(Array(application.utf8) == Array(composed.utf8))
        #expect(models.map { Array($0.utf8) } == [Array(composed.utf8)])
    }
}
