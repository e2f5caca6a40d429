/// A kind of thing that happens in simulated runs, counted so that one sees what they have covered.
package enum Occurrence: Int, CaseIterable, Sendable {
    // What clients saw.
    case queries = 0
    case outputs
    case cacheHits
    case defaultsNoReplica
    case defaultsDeadline
    case defaultsLostTwice
    case defaultsQueueFull
    case defaultsPredictedLate
    case defaultsModelDeleted
    case defaultsModelFailed
    case defaultsInvalidInput
    case defaultsStopping
    case lostWithFrontend
    case requestsOfManyInputs
    case timeoutsShorterThanSLO
    case deadlinesPastAtArrival

    // What the scheduler did.
    case batches
    case fullBatches
    case secondBatchesInFlight
    case delayedBatches
    case sharedComputations
    case batchesInRPC3
    case batchesInRPC4
    case batchesAsLargeAsStated
    case batchesAsManyAsStated
    case modelsOfBothVersions
    case retries
    case hedges
    case hedgesWon
    case stuckDetected
    case stuckRecovered
    case stuckTried
    case batchesMissing

    // What happened to containers and connections.
    case registrations
    case registrationsInRPC3
    case registrationsInRPC4
    case fallbacksToRPC3
    case returnsToRPC4
    case crashes
    case gracefulStops
    case killsWhileLeaving
    case freezes
    case hangs
    case slowDowns
    case failedBatches
    case failedInputs
    case batchesTooLate
    case batchesUnavailable
    case batchesTooLarge
    case failuresInRPC3
    case failuresInRPC4
    case goodbyes
    case goodbyesWithBatchesInFlight
    case goodbyesWithQueriesWaiting
    case batchesAnsweredWhileLeaving
    case goodbyesOfFrontends
    case goodbyesNotHeard
    case goodbyesLostWithConnection
    case resets
    case partitionsHealed
    case partitionsBroken
    case descriptorsReused
    case ownRoutingIDsReused
    case unreachablePeers
    case fullPipes
    case frontendRestarts
    case frontendStops
    case frontendsOfVersion3
    case frontendStalls
    case turnsCutShort

    // What containers did wrong.
    case duplicateAnswers
    case lateAnswers
    case unknownAnswers
    case forgedAnswers
    case wrongOutputCounts
    case forgottenAnswers
    case duplicateFailures
    case lateFailures
    case unknownFailures
    case forgedFailures
    case falselyTooLate
    case goodbyesOutOfTurn
    case malformedMessages
    case messagesOfRPC4ForRPC3
    case registrationsRepeated
    case registrationsReplaced
    case registrationsOfAnotherType
    case registrationsInRPC3AfterRPC4
    case foreignInputTypes
    case foreignModels
    case badMessagesNoted

    // Why replicas were given up.
    case lostSilent
    case lostSilentAtWork
    case lostDisconnected
    case lostMalformed
    case lostWrongOutputCount
    case lostReplaced
    case lostDismissed
    case lostUnanswered
    case left
    case drained
    case refusals
    case refusalsOfType
    case refusalsOfMalformed
    case sessionsGivenUpByContainers

    // What policies did.
    case selectedQueries
    case combinedOutputs
    case stragglers
    case answersWithoutFailedModels
    case answersBeforeShadows
    case defaultsLowConfidence
    case shadowsAgreed
    case shadowsDisagreed
    case queriesWithoutStates
    case feedbackByQuery
    case feedbackByInput
    case feedbackCounted
    case feedbackDuplicate
    case feedbackUnknownQuery
    case feedbackWithoutAnswer
    case feedbackIncomparable
    case feedbackNotDurable
    case feedbackNotLearning
    case feedbackStopping
    case feedbackLostWithFrontend
    case feedbackSentTwiceAtOnce
    case duplicatesOfEarlierFrontends
    case acknowledgementsLost
    case groupCommits
    case failedCommits
    case slowDisks
    case statesLoaded
    case statesEvicted
    case restartsWithStates
    case statesReset
    case statesReported
    case policiesChanged
    case policiesRemoved
    case linksChanged
    case versionsChanged

    // What operators did.
    case modelsDeleted
    case modelsRegisteredAgain
    case settingsChanged
    case hedgingChanged
    case drains
    case resumptions

    /// Words for a table: "cache hits".
    package var label: String {
        var words = ""
        for character in String(describing: self) {
            if character.isUppercase, words.last?.isUppercase != true { words.append(" ") }
            words.append(character)
        }
        return words.lowercased()
    }
}

/// How often each kind of thing has happened.
package struct Occurrences: Sendable, Equatable {
    private var counts = [Int](repeating: 0, count: Occurrence.allCases.count)

    package init() {}

    package internal(set) subscript(occurrence: Occurrence) -> Int {
        get { counts[occurrence.rawValue] }
        set { counts[occurrence.rawValue] = newValue }
    }

    /// Adds what happened in another run.
    package mutating func add(_ other: Occurrences) {
        for index in counts.indices { counts[index] += other.counts[index] }
    }

    /// What has not happened at all.
    package var missing: [Occurrence] {
        Occurrence.allCases.filter { self[$0] == 0 }
    }
}
