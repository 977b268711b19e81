namespace CredBroker.Vault.Http;

/// <summary>What became of a call to Vault.</summary>
internal abstract record VaultReply
{
    private VaultReply() { }

    /// <summary>
    /// Vault did it, and it was Vault that said so: by a 204, or by a 200 that has what no page of a proxy has.
    /// </summary>
    public sealed record Done(VaultBody Body) : VaultReply;

    /// <summary>Vault answered no.</summary>
    /// <param name="Status">The HTTP status.</param>
    /// <param name="Words">Vault's words, bounded; for operators, never for agents.</param>
    public sealed record Declined(int Status, string Words) : VaultReply
    {
        /// <summary>How long Vault asks to wait, where it says so.</summary>
        public TimeSpan? RetryAfter { get; init; }
    }

    /// <summary>Vault has not seen the call.</summary>
    public sealed record NotSent(string Reason) : VaultReply;

    /// <summary>There is nothing to log in to Vault with, so that it was not asked.</summary>
    public sealed record NoLogin(string Reason) : VaultReply;

    /// <summary>
    /// The call was sent, or may have been, and no usable answer came: whether Vault acted is not known.
    /// </summary>
    public sealed record Lost(string Reason) : VaultReply
    {
        /// <summary>Whether another cluster answered than is believed, so that its answer is none.</summary>
        public bool IsOfAnotherCluster { get; init; }

        /// <summary>Whether it is the believed cluster that answered, whose word proves nothing for now.</summary>
        public bool IsDoubted { get; init; }
    }

    /// <summary>Whether it is the health of an active node.</summary>
    public bool IsActiveNode => this is Done { Body.Standby: false };

    /// <summary>Why it was not done, for logs and for a revocation's error.</summary>
    public string Why =>
        this switch
        {
            Declined declined => $"Vault answered {declined.Status}: {declined.Words}",
            NotSent notSent => $"Vault was not reached: {notSent.Reason}",
            NoLogin noLogin => $"The broker has nothing to log in to Vault with: {noLogin.Reason}",
            Lost lost => $"Vault did not answer: {lost.Reason}",
            _ => "",
        };

    /// <summary>
    /// Whether Vault, told to revoke an accessor, says that its token is gone already: an accessor can outlive it.
    /// </summary>
    public bool SaysTokenNotFound =>
        this is Declined { Status: 400 } declined
        && declined.Words.Contains("token not found", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether Vault says that no token has this accessor: the proof that it is gone.</summary>
    public bool SaysInvalidAccessor =>
        this is Declined { Status: 400 or 403 or 404 } declined
        && declined.Words.Contains("invalid accessor", StringComparison.OrdinalIgnoreCase);
}
