using System.Collections.Concurrent;
using CredBroker.Client;
using Npgsql;

namespace CredBroker.FaultHarness.Load;

/// <summary>A secret as an agent got it.</summary>
internal sealed record Issued
{
    public required string LeaseId { get; init; }

    public required string Instance { get; init; }

    public required string TaskId { get; init; }

    /// <summary>The broker that issued it, by its number.</summary>
    public required int Broker { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>The database user and its password; null where the secret is a token.</summary>
    public (string User, string Password)? Login { get; init; }

    public string? Token { get; init; }

    /// <summary>A session that its holder keeps open, until the watcher has looked at it.</summary>
    public NpgsqlConnection? Session { get; set; }

    /// <summary>What an agent got; null where it is nothing that could be revoked.</summary>
    public static Issued? Of(ExchangeRequest request, string instance, int broker, ExchangeResponse answer) =>
        answer.Secret is KeyValueSecret
            ? null
            : new()
            {
                LeaseId = answer.LeaseId,
                Instance = instance,
                TaskId = request.Task.Id,
                Broker = broker,
                ReceivedAt = TimeProvider.System.GetUtcNow(),
                Login = answer.Secret is DatabaseSecret login ? (login.Username, login.Password) : null,
                Token = (answer.Secret as TokenSecret)?.Token,
            };
}

/// <summary>What the agents hold, and of which leases the broker has told somebody that they are revoked.</summary>
internal sealed class Ledger
{
    private readonly ConcurrentDictionary<string, Issued> _issued = new();
    private readonly ConcurrentDictionary<string, string> _told = new();

    public IReadOnlyCollection<Issued> Issued => [.. _issued.Values];

    /// <summary>By lease: who was told, and what.</summary>
    public IReadOnlyDictionary<string, string> Told => _told;

    public void Add(Issued issued) => _issued[issued.LeaseId] = issued;

    public void Tell(string leaseId, string what) => _told.TryAdd(leaseId, what);
}
