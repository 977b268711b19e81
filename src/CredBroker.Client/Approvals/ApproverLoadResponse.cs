namespace CredBroker.Client;

/// <summary>What waits for a person, and how fast they have decided lately.</summary>
public sealed record ApproverLoadResponse
{
    /// <summary>How many requests wait for them now.</summary>
    public required int Waiting { get; init; }

    /// <summary>How many of their last decisions the median is of, 20 at most and none that is older than 30 days.</summary>
    public required int Decisions { get; init; }

    /// <summary>
    /// What half of these took at most, in seconds: from when it was asked, or from the person's decision before it where
    /// that is later. A group is one decision, whose time is divided by one, plus a quarter for each request after the
    /// first. Absent without any.
    /// </summary>
    public double? MedianSeconds { get; init; }

    /// <summary>
    /// Whether that is less than reading takes: five decisions or more, under three seconds. Each further one is an event
    /// of the audit log.
    /// </summary>
    public required bool Hurried { get; init; }
}
