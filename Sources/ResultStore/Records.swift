import Foundation
import GRDB

/// A row of the store: columns are the properties in snake case.
public protocol StoredRecord: Codable, Sendable, FetchableRecord, MutablePersistableRecord {}

extension StoredRecord {
    public static var databaseColumnEncodingStrategy: DatabaseColumnEncodingStrategy { .convertToSnakeCase }
    public static var databaseColumnDecodingStrategy: DatabaseColumnDecodingStrategy { .convertFromSnakeCase }
}
