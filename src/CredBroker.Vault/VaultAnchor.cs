using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Issuing;
using CredBroker.Vault.Http;
using CredBroker.Vault.Session;

namespace CredBroker.Vault;

/// <summary>
/// Keeps the store's anchor as a KV value of version 2, by check-and-set. Only what the active node of the believed cluster
/// says counts: a standby's anchor may be older, and would look like a Vault that was put back. That Vault's own word is
/// doubted keeps no anchor from being read, because it is how the doubt ends.
/// </summary>
public sealed class VaultAnchor(VaultSecretIssuer issuer, VaultOptions options) : IAnchorPlace
{
    /// <summary>More heads than a broker writes are none of its making.</summary>
    private const int MaxHeads = 256;

    private readonly string _path = VaultPaths.Anchor(new(options.Installation));

    private VaultClient Client => issuer.Client;

    private VaultSession Session => issuer.Session;

    /// <inheritdoc/>
    public async ValueTask<AnchorReading> ReadAsync(CancellationToken cancellationToken)
    {
        using var proof = Client.Prove();
        if (Unfit(await proof.BeginAsync(cancellationToken)) is { } unfit)
        {
            return new AnchorReading.Failed(unfit);
        }

        var reply = await Session.SendAsync(
            new(HttpMethod.Get, _path) { Timeout = options.CallTimeout },
            proof.SendAsync,
            cancellationToken
        );
        var reading = reply switch
        {
            VaultReply.Done { Body: var body } => Parse(body),
            VaultReply.Declined { Status: 404, Words: "" } => new AnchorReading.None(),
            _ when await IsBarredAsync(reply, proof, cancellationToken) => new AnchorReading.Barred(reply.Why),
            _ => new AnchorReading.Failed(reply.Why),
        };
        return Unfit(await proof.EndAsync(cancellationToken)) is { } doubt ? new AnchorReading.Failed(doubt) : reading;
    }

    /// <inheritdoc/>
    public async ValueTask<AnchorWriting> WriteAsync(
        StoreAnchor anchor,
        long version,
        CancellationToken cancellationToken
    )
    {
        using var proof = Client.Prove();
        if (Unfit(await proof.BeginAsync(cancellationToken)) is { } unfit)
        {
            return new AnchorWriting.Failed(unfit);
        }

        var body = VaultBodies.Of(
            new WriteAnchorRequest(
                new(version),
                new(anchor.Epoch, anchor.Serial, [.. anchor.Heads.Select(head => head.ToString())])
            ),
            VaultJson.Default.WriteAnchorRequest
        );
        // Sent once: of a second one Vault could only say that somebody has written.
        var reply = await Session.SendAsync(
            new(HttpMethod.Post, _path) { Body = body, Timeout = options.CallTimeout },
            proof.SendAsync,
            cancellationToken
        );
        return reply switch
        {
            VaultReply.Done => new AnchorWriting.Written(),
            VaultReply.Declined { Status: 400, Words: var words }
                when words.Contains("check-and-set", StringComparison.OrdinalIgnoreCase) =>
                new AnchorWriting.Conflict(),
            _ when await IsBarredAsync(reply, proof, cancellationToken) => new AnchorWriting.Barred(reply.Why),
            _ => new AnchorWriting.Failed(reply.Why),
        };
    }

    /// <summary>Why what the node says of the anchor counts for nothing.</summary>
    private static string? Unfit(VaultReply? doubt) =>
        doubt is null or VaultReply.Lost { IsDoubted: true } ? null : doubt.Why;

    /// <summary>
    /// Whether the broker's policy has no right to it, or there is no such mount. A 403 alone can be a token that is dead,
    /// which says nothing of that.
    /// </summary>
    private async ValueTask<bool> IsBarredAsync(VaultReply reply, VaultProof proof, CancellationToken cancellationToken)
    {
        if (reply is VaultReply.Declined { Status: 404 })
        {
            return true;
        }

        if (reply is not VaultReply.Declined { Status: 403 })
        {
            return false;
        }

        var call = new VaultCall(HttpMethod.Post, "sys/capabilities-self")
        {
            Body = VaultBodies.Of(new CapabilitiesRequest([_path]), VaultJson.Default.CapabilitiesRequest),
            Timeout = options.CallTimeout,
        };
        return await Session.SendAsync(call, proof.SendAsync, cancellationToken)
                is VaultReply.Done { Body.Data: { ValueKind: JsonValueKind.Object } data }
            && data.TryGetProperty(_path, out var granted)
            && granted.ValueKind == JsonValueKind.Array
            && !VaultPaths.AnchorCapabilities.All(needed =>
                granted.EnumerateArray().Any(capability => capability.ValueEquals(needed))
            );
    }

    private static AnchorReading Parse(VaultBody body)
    {
        if (
            body.As(VaultJson.Default.AnchorVersion)
            is not {
                Data: { Epoch: > 0, Serial: > 0, Heads: { Count: <= MaxHeads } texts } data,
                Metadata.Version: > 0 and var version
            }
        )
        {
            return new AnchorReading.Failed("What Vault holds in the anchor's place is none.");
        }

        var heads = new List<AuditPosition>();
        foreach (var text in texts)
        {
            if (!AuditPosition.TryParse(text, out var head))
            {
                return new AnchorReading.Failed("What Vault holds in the anchor's place is none.");
            }

            heads.Add(head!);
        }

        return new AnchorReading.Found(new(data.Epoch, data.Serial, heads), version);
    }
}
