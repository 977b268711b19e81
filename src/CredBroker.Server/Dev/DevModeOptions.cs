namespace CredBroker.Server.Dev;

/// <summary>How dev mode starts.</summary>
public sealed record DevModeOptions
{
    /// <summary>
    /// The broker's loopback port; the dev issuer takes the next one, DevVault the one after. A port that is taken is
    /// replaced by a free one. 0 takes free ones.
    /// </summary>
    public int Port { get; init; } = 8400;

    /// <summary>
    /// What the user has configured (file and environment). Sections that dev mode does not own, such as <c>Log</c>,
    /// are kept.
    /// </summary>
    public IConfiguration? Settings { get; init; }

    /// <summary>The clock of DevVault and the dev issuer.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
