using System.Text;
using CredBroker.Core.Text;
using CredBroker.Vault.Http;

namespace CredBroker.Vault.Setup;

/// <summary>
/// Compares Vault with a plan by the operator's token, and on request makes what is missing and changes what is the
/// installation's own: by its names, and a policy only while nobody has edited it. Everything else is used as it is.
/// </summary>
public sealed class SetupRun : IDisposable
{
    private readonly VaultTransport _transport;
    private readonly VaultOptions _options;
    private readonly SecretText _operatorToken;

    /// <summary>
    /// Takes validated settings; of them only address, namespace, certificate authority and time limit count here.
    /// </summary>
    public SetupRun(VaultOptions options, SecretText operatorToken, TimeProvider time)
    {
        (_options, _operatorToken) = (options, operatorToken);
        _transport = new(options, time);
    }

    /// <summary>How Vault, and the files that the plan takes, stand to it. Writes nothing.</summary>
    /// <param name="plan">What Vault shall hold.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">The plan has faults.</exception>
    public async ValueTask<SetupReport> CompareAsync(SetupPlan plan, CancellationToken cancellationToken)
    {
        if (plan.Faults.Count > 0)
        {
            throw new ArgumentException("A plan with faults cannot be run.", nameof(plan));
        }

        // Before the first call. A file that nothing needs any more may be gone: Vault alone knows a rotated password.
        var files = await SetupFile.FaultsAsync(plan, cancellationToken);
        var findings = new List<SetupFinding>();
        foreach (var step in plan.Steps)
        {
            cancellationToken.ThrowIfCancellationRequested();
            findings.Add(await CompareAsync(step, cancellationToken));
        }

        return new(findings)
        {
            FileFaults =
            [
                .. findings
                    .Where(finding => finding.State == SetupState.Failed || NeedsCredential(finding))
                    .Select(finding => files.GetValueOrDefault(finding.Step.CredentialFile))
                    .OfType<string>()
                    .Distinct(),
            ],
        };
    }

    /// <summary>Compares, and then does as <see cref="ApplyAsync(SetupReport, CancellationToken)"/>.</summary>
    /// <param name="plan">What Vault shall hold.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">The plan has faults.</exception>
    public async ValueTask<SetupReport> ApplyAsync(SetupPlan plan, CancellationToken cancellationToken) =>
        await ApplyAsync(await CompareAsync(plan, cancellationToken), cancellationToken);

    /// <summary>
    /// Makes what was found missing and changes what was found outdated, in the plan's order, and stops at the first step
    /// that fails. Where a file has a fault, or something could not be read, nothing is made. A second run finds everything
    /// present.
    /// </summary>
    /// <param name="compared">What a comparison found a moment ago.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<SetupReport> ApplyAsync(SetupReport compared, CancellationToken cancellationToken)
    {
        if (compared.FileFaults.Count > 0 || compared.Findings.Any(finding => finding.State == SetupState.Failed))
        {
            return compared;
        }

        var findings = new List<SetupFinding>();
        foreach (var finding in compared.Findings)
        {
            cancellationToken.ThrowIfCancellationRequested();
            findings.Add(
                finding.State is SetupState.Missing or SetupState.Outdated
                    ? await WriteAsync(finding, cancellationToken)
                    : finding
            );
            if (findings[^1].State == SetupState.Failed)
            {
                break;
            }
        }

        for (var i = 0; i < findings.Count; i++)
        {
            if (
                findings[i] is
                { State: SetupState.Made or SetupState.Updated, Step.TriedBy: { Length: > 0 } tokenRole } made
            )
            {
                findings[i] = await TryAsync(made, tokenRole, cancellationToken);
            }
        }

        return new(findings);
    }

    /// <summary>What of the installation's own the plan needs no more, in every mount where there could be some.</summary>
    /// <param name="plan">What Vault shall hold.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<SetupLeftOver> FindLeftOverAsync(SetupPlan plan, CancellationToken cancellationToken)
    {
        var names = new VaultNames(plan.Installation);
        var needed = plan.Steps.Select(step => step.Path).ToHashSet(StringComparer.Ordinal);
        var (paths, notSearched) = (new List<string>(), new List<string>());
        var folders = new List<string> { "sys/policies/acl", "auth/token/roles" };
        folders.AddRange(await FoldersAsync("sys/mounts", "", notSearched, cancellationToken));
        folders.AddRange(await FoldersAsync("sys/auth", "auth/", notSearched, cancellationToken));
        foreach (var folder in folders)
        {
            var reply = await _transport.SendAsync(Call(VaultCall.List, folder), cancellationToken);
            if (reply is VaultReply.Done { Body: var body })
            {
                paths.AddRange(
                    (body.As(VaultJson.Default.ListedKeys)?.Keys ?? [])
                        .Where(names.Owns)
                        .Select(name => $"{folder}/{name}")
                        .Where(path => !needed.Contains(path))
                );
            }
            else if (reply is not VaultReply.Declined { Status: 404 })
            {
                notSearched.Add($"{folder}: {reply.Why}");
            }
        }

        paths.Sort(StringComparer.Ordinal);
        return new(paths, notSearched);
    }

    /// <inheritdoc/>
    public void Dispose() => _transport.Dispose();

    /// <summary>Where what setup makes could be in the mounts that Vault has.</summary>
    private async ValueTask<IEnumerable<string>> FoldersAsync(
        string mounts,
        string above,
        List<string> notSearched,
        CancellationToken cancellationToken
    )
    {
        var reply = await _transport.SendAsync(Call(HttpMethod.Get, mounts), cancellationToken);
        if (reply is not VaultReply.Done { Body.Data: { ValueKind: System.Text.Json.JsonValueKind.Object } data })
        {
            notSearched.Add($"{mounts}: {reply.Why}");
            return [];
        }

        return data.EnumerateObject()
            .Where(mount => mount.Value.ValueKind == System.Text.Json.JsonValueKind.Object)
            .SelectMany(mount =>
                (mount.Value.TryGetProperty("type", out var type) ? type.GetString() : "") switch
                {
                    "database" => new[] { $"{above}{mount.Name}config", $"{above}{mount.Name}roles" },
                    "pki" => [$"{above}{mount.Name}roles"],
                    "approle" => [$"{above}{mount.Name}role"],
                    _ => [],
                }
            );
    }

    /// <summary>
    /// Has a new reaper look for a lease that there never was: it makes the role that inherits what users leave, before
    /// the first of them, and refuses a server that is unfit.
    /// </summary>
    private async ValueTask<SetupFinding> TryAsync(
        SetupFinding made,
        string tokenRole,
        CancellationToken cancellationToken
    )
    {
        var create = Call(
            HttpMethod.Post,
            VaultPaths.TokenCreate(tokenRole),
            VaultBodies.Of(
                new TokenRequest("60s", $"cb-{PostgresStatements.CheckedLease}", new Dictionary<string, string>()),
                VaultJson.Default.TokenRequest
            )
        );
        if (
            await _transport.SendAsync(create, cancellationToken) is var reply
            && reply is not VaultReply.Done { Body.Auth: { ClientToken.Length: > 0 } }
        )
        {
            return new(made.Step, SetupState.Failed, [$"it was made and could not be tried: {reply.Why}"]);
        }

        var token = ((VaultReply.Done)reply).Body.Auth!;
        var tried = await _transport.SendAsync(
            new(HttpMethod.Get, made.Step.CredentialsPath)
            {
                Token = new SecretText(token.ClientToken!),
                Timeout = _options.RevokeTimeout,
            },
            cancellationToken
        );
        var revoke = AccessorCalls.Revoke(token.Accessor ?? "", _options.CallTimeout).With(_operatorToken);
        await _transport.SendAsync(revoke, CancellationToken.None);
        return tried is VaultReply.Done ? made : new(made.Step, SetupState.Failed, [tried.Why]);
    }

    private async ValueTask<SetupFinding> CompareAsync(SetupStep step, CancellationToken cancellationToken)
    {
        // A PKI mount has a root when it has any issuer, whoever made it.
        var read =
            step.Kind == SetupKind.CertificateAuthority
                ? Call(VaultCall.List, $"{step.Name}/issuers")
                : Call(HttpMethod.Get, step.Path);
        var reply = await _transport.SendAsync(read, cancellationToken);
        return reply switch
        {
            VaultReply.Done { Body: var body } => SetupComparison.Compare(step, body.Data),
            VaultReply.Declined declined when IsMissing(step.Kind, declined) => new(step, SetupState.Missing, []),
            // No part of the namespace, and nothing that issuing or revoking hangs on: the rest is set up without it.
            VaultReply.Declined { Status: 403 }
                when step.Kind == SetupKind.AuditedHeader && _options.Namespace.Length > 0 => new(
                step,
                SetupState.Differs,
                ["it is of the whole Vault, and only an operator of the root namespace sees and makes it"]
            ),
            _ => new(step, SetupState.Failed, [reply.Why]),
        };
    }

    /// <summary>How each part of Vault says that something is not there.</summary>
    private static bool IsMissing(SetupKind kind, VaultReply.Declined declined) =>
        declined switch
        {
            { Status: 404 } => true,
            { Status: 400 } => kind switch
            {
                SetupKind.Mount => declined.Words.Contains(
                    "No secret engine mount",
                    StringComparison.OrdinalIgnoreCase
                ),
                SetupKind.AuthMethod => declined.Words.Contains("No auth engine", StringComparison.OrdinalIgnoreCase),
                SetupKind.AuditedHeader => declined.Words.Contains(
                    "Could not find header",
                    StringComparison.OrdinalIgnoreCase
                ),
                _ => false,
            },
            _ => false,
        };

    private async ValueTask<SetupFinding> WriteAsync(SetupFinding finding, CancellationToken cancellationToken)
    {
        var step = finding.Step;
        var body = step.Body.DeepClone().AsObject();
        if (NeedsCredential(finding))
        {
            var (credential, fault) = await SetupFile.ReadAsync(step.CredentialFile, cancellationToken);
            if (credential is not var (user, password))
            {
                return new(step, SetupState.Failed, [fault]);
            }

            (body["username"], body["password"]) = (user, password.Reveal());
        }

        var reply = await _transport.SendAsync(
            Call(HttpMethod.Post, step.Path, Encoding.UTF8.GetBytes(body.ToJsonString())),
            cancellationToken
        );
        if (reply is not VaultReply.Done)
        {
            return new(step, SetupState.Failed, [reply.Why]);
        }

        if (finding.State == SetupState.Missing)
        {
            return new(step, SetupState.Made, []);
        }

        // What was there may keep what setup does not write: changed is what Vault now shows so.
        var now = await CompareAsync(step, cancellationToken);
        return now.State == SetupState.Present
            ? new(step, SetupState.Updated, finding.Details)
            : new(step, SetupState.Failed, ["Vault took the change and still shows:", .. now.Details]);
    }

    /// <summary>
    /// A connection that is there keeps its administrator, whose password Vault may have rotated since; another server has
    /// another.
    /// </summary>
    private static bool NeedsCredential(SetupFinding finding) =>
        finding.Step.CredentialFile.Length > 0
        && (finding.State == SetupState.Missing || finding is { State: SetupState.Outdated, IsOfAnotherServer: true });

    private VaultCall Call(HttpMethod method, string path, byte[]? body = null) =>
        new(method, path)
        {
            Token = _operatorToken,
            Body = body,
            // A write may have Vault ask a database first.
            Timeout = body is null ? _options.CallTimeout : _options.MintTimeout,
        };
}
