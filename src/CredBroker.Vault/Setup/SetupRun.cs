using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Core.Text;
using CredBroker.Vault.Http;

namespace CredBroker.Vault.Setup;

/// <summary>
/// Compares Vault with a plan by the operator's token, and on request makes what is missing. It never edits what it did
/// not make: only a policy that carries its mark, untouched, is brought up to date; every other difference is reported.
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

    /// <summary>How Vault stands to the plan. Writes nothing.</summary>
    public ValueTask<SetupReport> CompareAsync(SetupPlan plan, CancellationToken cancellationToken) =>
        RunAsync(plan, apply: false, cancellationToken);

    /// <summary>
    /// Makes what is missing, in the plan's order, and stops at the first step that fails. A second run finds
    /// everything present.
    /// </summary>
    /// <param name="plan">What Vault shall hold.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="replace">
    /// Whether this installation's database roles that say something else are brought up to date, on the operator's word.
    /// </param>
    public ValueTask<SetupReport> ApplyAsync(
        SetupPlan plan,
        CancellationToken cancellationToken,
        bool replace = false
    ) => RunAsync(plan, apply: true, cancellationToken, replace);

    /// <inheritdoc/>
    public void Dispose() => _transport.Dispose();

    private async ValueTask<SetupReport> RunAsync(
        SetupPlan plan,
        bool apply,
        CancellationToken cancellationToken,
        bool replace = false
    )
    {
        if (plan.Faults.Count > 0)
        {
            throw new ArgumentException("A plan with faults cannot be run.", nameof(plan));
        }

        var findings = new List<SetupFinding>();
        foreach (var step in plan.Steps)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var finding = await CompareAsync(step, cancellationToken);
            if (
                apply
                && (
                    finding.State == SetupState.Missing
                    || finding is { State: SetupState.Differs, Step.Kind: SetupKind.Policy, Details: [] }
                    || (replace && finding is { State: SetupState.Differs, Step.Kind: SetupKind.DatabaseRole })
                )
            )
            {
                finding = await WriteAsync(finding, cancellationToken);
            }

            findings.Add(finding);
            if (apply && finding.State == SetupState.Failed)
            {
                break;
            }
        }

        for (var i = 0; apply && i < findings.Count; i++)
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
        var create = new VaultCall(HttpMethod.Post, VaultPaths.TokenCreate(tokenRole))
        {
            Token = _operatorToken,
            Timeout = _options.CallTimeout,
            Body = VaultBodies.Of(
                new TokenRequest("60s", $"cb-{PostgresStatements.CheckedLease}", new Dictionary<string, string>()),
                VaultJson.Default.TokenRequest
            ),
        };
        if (
            await _transport.SendAsync(create, cancellationToken) is var reply
            && reply is not VaultReply.Done { Body.Auth: { ClientToken.Length: > 0 } }
        )
        {
            return new(made.Step, SetupState.Failed, [$"it was made and could not be tried: {reply.Why}"]);
        }

        var token = ((VaultReply.Done)reply).Body.Auth!;
        var mount = made.Step.Path[..made.Step.Path.LastIndexOf("/roles/", StringComparison.Ordinal)];
        var tried = await _transport.SendAsync(
            new(HttpMethod.Get, $"{mount}/creds/{made.Step.Name}")
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
                ? new VaultCall(VaultCall.List, $"{step.Name}/issuers")
                {
                    Token = _operatorToken,
                    Timeout = _options.CallTimeout,
                }
                : new VaultCall(HttpMethod.Get, step.Path) { Token = _operatorToken, Timeout = _options.CallTimeout };
        var reply = await _transport.SendAsync(read, cancellationToken);
        return reply switch
        {
            VaultReply.Done { Body: var body } => Compare(step, body.Data),
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

    /// <summary>How what Vault shows of a thing stands to what setup would make.</summary>
    internal static SetupFinding Compare(SetupStep step, JsonElement found)
    {
        if (step.Kind == SetupKind.CertificateAuthority)
        {
            return new(step, SetupState.Present, []);
        }

        var actual = JsonObject.Create(found) ?? [];
        if (step.Kind == SetupKind.Policy)
        {
            var text = (string?)actual["policy"] ?? "";
            if (text == step.PolicyText)
            {
                return new(step, SetupState.Present, []);
            }

            return BrokerPolicy.IsUntouched(text)
                ? new(step, SetupState.Differs, [])
                : new(step, SetupState.Differs, ["the policy was written or edited by somebody else"]);
        }

        if (step.Kind == SetupKind.AuditedHeader)
        {
            actual =
                actual
                    .FirstOrDefault(member => string.Equals(member.Key, step.Name, StringComparison.OrdinalIgnoreCase))
                    .Value as JsonObject
                ?? [];
        }
        else if (actual["connection_details"] is JsonObject details)
        {
            foreach (var (name, value) in details.ToList())
            {
                actual.TryAdd(name, value?.DeepClone());
            }
        }

        // A mount's limits are the operator's affair once it is there.
        string[] differing =
        [
            .. step
                .Body.Where(member => member.Key != "config" && !IsSame(member.Key, member.Value, actual[member.Key]))
                .Select(member => member.Key),
        ];
        return differing.Length == 0
            ? new(step, SetupState.Present, [])
            : new(
                step,
                SetupState.Differs,
                [
                    .. differing.Select(name =>
                        $"{name} is {actual[name]?.ToJsonString() ?? "not set"}, "
                        + $"the catalogue needs {step.Body[name]!.ToJsonString()}"
                    ),
                ]
            )
            {
                Differing = differing,
            };
    }

    private async ValueTask<SetupFinding> WriteAsync(SetupFinding finding, CancellationToken cancellationToken)
    {
        var step = finding.Step;
        var body = step.Body.DeepClone().AsObject();
        if (step.CredentialFile.Length > 0)
        {
            if (await ReadCredentialAsync(step.CredentialFile, cancellationToken) is not var (user, password))
            {
                return new(
                    step,
                    SetupState.Failed,
                    [$"{step.CredentialFile} cannot be read, or does not hold user:password"]
                );
            }

            (body["username"], body["password"]) = (user, password.Reveal());
        }

        var call = new VaultCall(HttpMethod.Post, step.Path)
        {
            Token = _operatorToken,
            Body = System.Text.Encoding.UTF8.GetBytes(body.ToJsonString()),
            Timeout = _options.MintTimeout,
        };
        var reply = await _transport.SendAsync(call, cancellationToken);
        return reply is VaultReply.Done
            ? new(step, finding.State == SetupState.Missing ? SetupState.Made : SetupState.Updated, [])
            : new(step, SetupState.Failed, [reply.Why]);
    }

    private static async ValueTask<(string User, SecretText Password)?> ReadCredentialAsync(
        string path,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var text = (await File.ReadAllTextAsync(path, cancellationToken)).Trim();
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            return colon > 0 && colon < text.Length - 1 ? (text[..colon], new SecretText(text[(colon + 1)..])) : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// Equal as Vault means it: names in any order, statements in theirs; a number or a truth value also as text.
    /// </summary>
    private static bool IsSame(string name, JsonNode? wanted, JsonNode? actual) =>
        (wanted, actual) switch
        {
            (JsonArray { Count: 0 }, null) => true,
            (JsonArray one, JsonArray other) when name.EndsWith("_statements", StringComparison.Ordinal) => Texts(one)
                .SequenceEqual(Texts(other)),
            (JsonArray one, JsonArray other) when name.EndsWith("_cidrs", StringComparison.Ordinal) => Networks(one)
                .SequenceEqual(Networks(other)),
            (JsonArray one, JsonArray other) => Texts(one)
                .Order(StringComparer.Ordinal)
                .SequenceEqual(Texts(other).Order(StringComparer.Ordinal)),
            (JsonObject one, JsonObject other) => one.All(member =>
                IsSame(member.Key, member.Value, other[member.Key])
            ),
            (JsonValue one, JsonValue other) => one.ToString() == other.ToString(),
            _ => false,
        };

    // Vault shows a network of one address as that address.
    private static IEnumerable<string> Networks(JsonArray array) =>
        Texts(array)
            .Select(text =>
                text.Contains('/', StringComparison.Ordinal) ? text : text + (text.Contains(':') ? "/128" : "/32")
            )
            .Order(StringComparer.Ordinal);

    private static IEnumerable<string> Texts(JsonArray array) => array.Select(item => item?.ToString() ?? "");
}
