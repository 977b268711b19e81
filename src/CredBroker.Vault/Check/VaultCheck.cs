using System.Text.Json;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Readiness;
using CredBroker.Vault.Http;
using CredBroker.Vault.Setup;
using Microsoft.Extensions.Logging;

namespace CredBroker.Vault.Check;

/// <summary>
/// Looks at Vault with the broker's own login: that it can do what each credential needs, that it has proven to revoke,
/// and that it can do nothing else. It makes child tokens and takes them back at once; it makes no secret.
/// </summary>
/// <param name="options">Where Vault is, and the broker's login.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where the issuer says what it meets.</param>
/// <param name="cluster">Is told which cluster answered.</param>
public sealed class VaultCheck(
    VaultOptions options,
    TimeProvider time,
    ILogger<VaultSecretIssuer> logger,
    VaultCluster? cluster = null
) : IDisposable
{
    private readonly VaultSecretIssuer _issuer = new(options, time, logger, cluster);
    private readonly VaultNames _names = new(options.Installation);

    /// <summary>Whether the login is a root token, to which every look at a right says yes.</summary>
    private bool IsRoot => _issuer.Session.Current!.Facts.Policies.Contains("root");

    /// <summary>Everything that was looked at, in order. Stops after the login if that fails.</summary>
    public async ValueTask<IReadOnlyList<CheckFinding>> RunAsync(
        IEnumerable<CatalogueEntry> catalogue,
        CancellationToken cancellationToken
    )
    {
        var entries = catalogue.OrderBy(entry => entry.Name, StringComparer.Ordinal).ToList();
        if (await _issuer.Session.RefreshAsync(cancellationToken) is { } failure)
        {
            return [new(false, $"log in to {options.Address}", failure.Why)];
        }

        var findings = new List<CheckFinding> { new(true, $"log in to {options.Address}") };
        findings.AddRange(OwnToken());
        var status = await _issuer.ProbeAsync(cancellationToken);
        findings.Add(
            OfRight(
                new(
                    status.CanIssue,
                    "make a token, revoke it and see it gone",
                    status.CanIssue ? "" : $"{status.Refusal!.Detail} Run `credbroker vault setup`."
                )
            )
        );
        findings.Add(OfCapability(await AnchorAsync(cancellationToken)));
        foreach (var entry in entries)
        {
            cancellationToken.ThrowIfCancellationRequested();
            findings.AddRange(await CheckAsync(entry, cancellationToken));
        }

        findings.AddRange(await AsMadeAsync(entries, cancellationToken));
        findings.AddRange(
            SharedSchemas
                .Warnings(entries)
                .Select(warning => new CheckFinding(true, "grants that meet in a schema", warning))
        );
        findings.AddRange(DeadDatabases.Warnings(entries));
        findings.AddRange(await ForbiddenAsync(entries, cancellationToken));
        return findings;
    }

    /// <inheritdoc/>
    public void Dispose() => _issuer.Dispose();

    /// <summary>A look at what happens when a right is used: what a root token fails at, the broker would, too.</summary>
    private CheckFinding OfRight(CheckFinding finding) => finding.Passed ? OfCapability(finding) : finding;

    /// <summary>A look at what Vault says of a right, which of a root token is nothing but that it is one.</summary>
    private CheckFinding OfCapability(CheckFinding finding) => IsRoot ? finding.AsRoot() : finding;

    private IEnumerable<CheckFinding> OwnToken()
    {
        var facts = _issuer.Session.Current!.Facts;
        var others = facts.Policies.Where(policy => policy != _names.Broker).ToList();
        yield return new(
            others.Count == 0 && facts.Policies.Count == 1,
            $"the broker's token has the policy {_names.Broker} and no other",
            others.Count == 0
                ? ""
                : $"It also has {string.Join(", ", others)}: make it from the role {_names.Broker}, "
                    + "which gives none (the default policy alone doubles the cost of each child token)."
        );
        yield return new(
            facts is { Renewable: true, Ttl: > 0 },
            "the broker's token ends, and can be renewed",
            facts switch
            {
                { Ttl: 0 } => "It never ends: make a periodic one from the role.",
                { Renewable: true } => "",
                _ => "It cannot be renewed: unless the broker logs in by AppRole, issuing stops when it ends.",
            }
        );
    }

    /// <summary>Whether the broker may keep its store's anchor; what it says is the broker's affair.</summary>
    private async ValueTask<CheckFinding> AnchorAsync(CancellationToken cancellationToken)
    {
        var path = VaultPaths.Anchor(_names);
        var granted = (await CapabilitiesAsync([path], cancellationToken))[path];
        var isAble = VaultPaths.AnchorCapabilities.All(granted.Contains);
        return new(isAble, $"keep the store's anchor at {path}", isAble ? "" : AnchorCheck.Unkept);
    }

    private async ValueTask<IEnumerable<CheckFinding>> CheckAsync(
        CatalogueEntry entry,
        CancellationToken cancellationToken
    )
    {
        if (_names.FaultOf(entry) is { } fault)
        {
            return [new(false, $"{entry.Name}: names", fault)];
        }

        if (entry.Vault is VaultBinding.KeyValue kv)
        {
            var path = VaultPaths.Sample(kv);
            var mayRead = (await CapabilitiesAsync([path], cancellationToken))[path].Contains("read");
            return
            [
                OfCapability(
                    new(
                        mayRead,
                        $"{entry.Name}: read {VaultPaths.Granted(kv)}",
                        mayRead ? "" : "The broker's policy does not permit it: run `credbroker vault setup`."
                    )
                ),
            ];
        }

        var findings = new List<CheckFinding> { await CheckTokenRoleAsync(entry, cancellationToken) };
        if (_names.LeasePrefix(entry) is not { } prefix)
        {
            findings.Add(
                new(
                    true,
                    $"{entry.Name}: its leases are not listed",
                    entry.Vault is VaultBinding.Token
                        ? "What a crash between two steps leaves is confirmed once it has ended by itself."
                        : "What a crash between two steps leaves, an admin confirms: `credbroker leases confirm`."
                )
            );
        }
        else
        {
            findings.AddRange(await CheckReaperAsync(entry, cancellationToken));
            var listed = await _issuer.ListLeasesAsync(entry, cancellationToken);
            findings.Add(
                OfRight(
                    new(
                        listed is LeaseListing.Listed,
                        $"{entry.Name}: list the leases under {prefix}",
                        listed is LeaseListing.Failed failed
                            ? $"{failed.Error} It needs list and sudo there: run `credbroker vault setup`."
                            : ""
                    )
                )
            );
        }

        return findings;
    }

    /// <summary>
    /// Makes a token of the entry's role, asking for more life than it may have, compares it with what a secret may
    /// hang on, and revokes it.
    /// </summary>
    private async ValueTask<CheckFinding> CheckTokenRoleAsync(CatalogueEntry entry, CancellationToken cancellationToken)
    {
        var (role, what) = (_names.Credential(entry.Name), $"{entry.Name}: token role {_names.Credential(entry.Name)}");
        var longest = (int)Math.Ceiling(entry.MaxTtl.TotalSeconds) + 30;
        var (child, reply) = await _issuer.Children.CreateAsync(
            role,
            new($"{longest + 3600}s", "cb-check", new Dictionary<string, string>()),
            _issuer.Client.OwnAsync,
            cancellationToken
        );
        if (child is null)
        {
            return new(false, what, $"{reply.Why} Run `credbroker vault setup`.");
        }

        var looked = await _issuer.Session.SendAsync(
            AccessorCalls.Lookup(child.Accessor, options.CallTimeout),
            _issuer.Client.RepeatableAsync,
            cancellationToken
        );
        var revoked = await _issuer.RevokeAccessorAsync(child.Accessor, cancellationToken);
        if (looked is not VaultReply.Done { Body: var body } || body.As(VaultJson.Default.TokenFacts) is not { } facts)
        {
            return new(false, what, looked.Why);
        }

        // What the role caps is seen in the life that was granted: a lookup answers with the request's
        // explicit_max_ttl, not with the role's.
        var detail = facts switch
        {
            _ when revoked is RevokeOutcome.Failed failed => $"Its token was not revoked: {failed.Error}",
            _ when facts.Policies.Any(policy => policy != role) || facts.Policies.Count != 1 =>
                $"Its tokens have the policies {string.Join(", ", facts.Policies)}, not {role} alone.",
            { Orphan: false } => "Its tokens are no orphans: they end with the broker's own token.",
            { Renewable: false } => "Its tokens cannot be renewed.",
            _ when facts.Ttl == 0 || facts.Ttl > longest =>
                $"Its tokens live {facts.Ttl} s, more than token_explicit_max_ttl = {longest} s would give: "
                    + "a renewal could exceed the credential's maxTtl.",
            _ => "",
        };
        return new(detail.Length == 0, what, detail.Length == 0 && IsRoot ? OfRoleAlone : detail);
    }

    /// <summary>Has the reaper look for the users of a lease that there never was: it removes and makes nothing.</summary>
    private async ValueTask<IEnumerable<CheckFinding>> CheckReaperAsync(
        CatalogueEntry entry,
        CancellationToken cancellationToken
    )
    {
        if (!_names.HasReaper(entry))
        {
            return
            [
                new(
                    true,
                    $"{entry.Name}: nothing can ask its backend for what Vault has lost",
                    $"A lease whose issuance was cut short stays revoking for {entry.MaxTtl} "
                        + "until what may have been made has ended by itself."
                ),
            ];
        }

        var outcome = await _issuer.ReapAsync(entry, PostgresStatements.CheckedLease, cancellationToken);
        return
        [
            new(
                outcome is RevokeOutcome.Confirmed,
                $"{entry.Name}: have the database remove what Vault has lost",
                outcome switch
                {
                    RevokeOutcome.Failed failed => failed.Error,
                    RevokeOutcome.Unproven unproven => unproven.Cure ?? "",
                    _ => IsRoot ? OfRoleAlone : "",
                }
            ),
        ];
    }

    /// <summary>
    /// Whether policies and database roles say what setup would have them say: statements of an earlier version keep less
    /// than is promised, and a policy that wants approvals or wrapped answers keeps secrets back.
    /// </summary>
    private async ValueTask<IEnumerable<CheckFinding>> AsMadeAsync(
        IReadOnlyList<CatalogueEntry> entries,
        CancellationToken cancellationToken
    )
    {
        var findings = new List<CheckFinding>();
        foreach (
            var step in SetupPlan
                .For(options.Installation, entries)
                .Steps.Where(step => step.Kind is SetupKind.Policy or SetupKind.DatabaseRole)
        )
        {
            cancellationToken.ThrowIfCancellationRequested();
            var reply = await _issuer.Session.SendAsync(
                new(HttpMethod.Get, step.Path) { Timeout = options.CallTimeout },
                _issuer.Client.RepeatableAsync,
                cancellationToken
            );
            var compared = reply is VaultReply.Done { Body.Data: var found }
                ? SetupComparison.Compare(step, found)
                : null;
            var detail = reply switch
            {
                VaultReply.Done when compared!.State == SetupState.Present => "",
                VaultReply.Done { Body: var body } when step.Kind == SetupKind.Policy => body.Text("policy") switch
                {
                    { } text when Conditions.FirstOrDefault(text.Contains) is { } condition =>
                        $"It has a {condition}, under which Vault keeps secrets back from the broker: take that off.",
                    _ =>
                        "It is another version's, or somebody has edited it: `credbroker vault setup --compare` shows the "
                            + "difference, --apply takes it away, and leaves one alone that was edited.",
                },
                VaultReply.Done =>
                    $"{string.Join(", ", compared!.Differing)} are not what setup makes: Vault was set up by another version, or "
                        + "somebody has edited them. Run `credbroker vault setup --apply`, which shows the difference first.",
                VaultReply.Declined { Status: 403 } =>
                    "The broker may not read it, as a policy of an earlier version has it: run `credbroker vault setup "
                        + "--apply`, then this again.",
                VaultReply.Declined { Status: 404 } => "It is not there: run `credbroker vault setup --apply`.",
                _ => reply.Why,
            };
            findings.Add(new(detail.Length == 0, $"{step.Path} is as setup makes it", detail));
        }

        return findings;
    }

    private const string OfRoleAlone =
        "It is the role that is right: whether the broker may use it, a root token does not show.";

    /// <summary>What a policy can ask for beside the right.</summary>
    private static readonly string[] Conditions = ["min_wrapping_ttl", "control_group"];

    private async ValueTask<IEnumerable<CheckFinding>> ForbiddenAsync(
        IReadOnlyList<CatalogueEntry> entries,
        CancellationToken cancellationToken
    )
    {
        var calls = ForbiddenCall.For(options.Installation, entries);
        var granted = await CapabilitiesAsync([.. calls.Select(call => call.Path).Distinct()], cancellationToken);
        return calls.Select(call =>
        {
            var has = granted[call.Path];
            var isAble =
                has.Contains("root")
                || has.Contains(call.Capability)
                || (call.Capability == "update" && has.Contains("create"));
            var what = $"cannot {call.Method} {call.Path}";
            return OfCapability(
                new(
                    !isAble,
                    what,
                    isAble ? $"It can, and so could {call.Why}: take the policies beside {_names.Broker} away." : ""
                )
            );
        });
    }

    /// <summary>
    /// What the broker's token may do on each path; a path that Vault does not answer for counts as unknown, with
    /// everything permitted.
    /// </summary>
    private async ValueTask<IReadOnlyDictionary<string, IReadOnlyList<string>>> CapabilitiesAsync(
        IReadOnlyList<string> paths,
        CancellationToken cancellationToken
    )
    {
        var body = VaultBodies.Of(new CapabilitiesRequest(paths), VaultJson.Default.CapabilitiesRequest);
        var reply = await _issuer.Session.SendAsync(
            new(HttpMethod.Post, "sys/capabilities-self") { Body = body, Timeout = options.CallTimeout },
            _issuer.Client.RepeatableAsync,
            cancellationToken
        );
        return paths.ToDictionary(
            path => path,
            IReadOnlyList<string> (path) =>
                reply is VaultReply.Done { Body.Data: { ValueKind: JsonValueKind.Object } data }
                && data.TryGetProperty(path, out var list)
                && list.ValueKind == JsonValueKind.Array
                    ? [.. list.EnumerateArray().Select(item => item.GetString() ?? "")]
                    : ["root"]
        );
    }
}
