using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Commands.Approvals;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Policy;

/// <summary>
/// <c>credbroker policy evaluate</c>: what would policy say to a request? On a file, or on the broker's policy in
/// force.
/// </summary>
internal sealed class PolicyEvaluateCommand : Command
{
    private const string Example = """
        {
          "identity": {
            "proof": "jwt-svid",
            "issuer": "spiffe://acme.example",
            "subject": "spiffe://acme.example/agents/triage/pod-7",
            "workload": "triage",
            "instance": "pod-7",
            "spiffeId": "spiffe://acme.example/agents/triage/pod-7",
            "trustDomain": "acme.example",
            "claims": {}
          },
          "task": { "id": "run-17", "process": "invoice-triage", "purpose": "find duplicates" },
          "credential": "billing-readonly",
          "actions": ["read"],
          "resource": "invoices",
          "ttl": "10m",
          "toolCall": { "name": "query", "arguments": { "limit": 100 } }
        }
        """;

    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Argument<string?> _request = new("REQUEST")
    {
        Description = "The supposed request as a JSON file, or - for standard input; --example shows one",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<string?> _policy = new("--policy")
    {
        HelpName = "FILE",
        Description = "Try this document, here; without it, the broker's policy in force is asked",
    };
    private readonly Option<bool> _example = new("--example") { Description = "Print a request to start from" };

    public PolicyEvaluateCommand(Terminal terminal)
        : base(
            "evaluate",
            "What would policy say to this request, and why? Nothing is issued. "
                + "Exit code 0 for allow, 3 for deny or challenge."
        )
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_request);
        Add(_policy);
        Add(_example);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(_example))
        {
            _terminal.Out.WriteLine(Example);
            return ExitCodes.Done;
        }

        var supposed = await ReadAsync(
            parsed.GetValue(_request)
                ?? throw CliException.Usage(
                    "No request is named.",
                    "Name a JSON file; --example prints one to start from."
                ),
            cancellationToken
        );
        var answer = parsed.GetValue(_policy) is { } file
            ? OfflineEvaluation.Evaluate(await PolicyText.CompileAsync(file, cancellationToken), supposed)
            : await AskAsync(parsed, supposed, cancellationToken);
        Write(answer, OutputOption.Of(parsed, _terminal));
        return answer.Effect == "allow" ? ExitCodes.Done : ExitCodes.Refused;
    }

    private async Task<EvaluateRequest> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = path == "-" ? _terminal.In : File.OpenRead(path);
            return await JsonSerializer.DeserializeAsync(stream, BrokerJson.Strict.EvaluateRequest, cancellationToken)
                ?? throw new JsonException("It is null.");
        }
        catch (JsonException exception)
        {
            throw CliException.Usage(
                $"The request cannot be read: {exception.Message}",
                "credbroker policy evaluate --example shows a whole one."
            );
        }
    }

    private async Task<EvaluateResponse> AskAsync(
        ParseResult parsed,
        EvaluateRequest supposed,
        CancellationToken cancellationToken
    )
    {
        if (!_broker.HasServer(parsed))
        {
            throw CliException.Usage(
                "Neither a policy document nor a broker is named.",
                $"Give --policy FILE, or --server URL (or {BrokerOptions.ServerVariable})."
            );
        }

        using var connection = _broker.ConnectAsPerson(parsed);
        return await new AdminClient(connection).EvaluateAsync(supposed, cancellationToken);
    }

    private void Write(EvaluateResponse answer, OutputFormat format)
    {
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(answer, BrokerJson.Default.EvaluateResponse));
            return;
        }

        Grid.WriteFields(
            _terminal,
            format,
            [
                ("Effect", answer.Effect),
                ("Agent", answer.Agent),
                ("Rule", answer.RuleId),
                ("Matching rules", string.Join(", ", answer.MatchedRules)),
                (
                    "Gate",
                    string.Join(
                        ", ",
                        answer.Gate.Select(condition => $"{condition.Name} {(condition.Holds ? "holds" : "fails")}")
                    )
                ),
                (
                    "Life",
                    answer.Ttl is { } ttl
                        ? $"{WireDuration.Format(ttl)}{(answer.TtlCut == true ? ", cut" : "")}; "
                            + $"at most {WireDuration.Format(answer.MaxTtl ?? ttl)} with renewals"
                        : null
                ),
                ("Limits", answer.Limits is { } limits ? string.Join("; ", limits.Select(Describe)) : null),
                .. answer.Approvals.Select(asked => ("Asks", (string?)DemandText.Of(asked))),
                ("Why", answer.Explanation),
                .. (answer.Shadow ?? []).Select(shadow =>
                    ("In shadow", (string?)$"{shadow.Effect}: {shadow.Explanation}")
                ),
                ("The agent is told", answer.Code is { } code ? $"{code}: {answer.Detail}" : null),
                (
                    "Policy",
                    $"{(answer.PolicyVersion > 0 ? $"version {answer.PolicyVersion}, " : "")}{answer.PolicyHash}"
                ),
            ]
        );
    }

    private static string Describe(LimitResponse limit) =>
        $"{limit.Id} per {limit.Per}: "
        + string.Join(
            ", ",
            new[]
            {
                limit.MaxActive is { } active ? $"{active} active" : null,
                limit.MaxIssued is { } issued
                    ? $"{issued.Count} issued within {WireDuration.Format(issued.Per)}"
                    : null,
                limit.MaxDenied is { } denied
                    ? $"{denied.Count} denied within {WireDuration.Format(denied.Per)}"
                    : null,
                limit.QuarantineFor is { } lasts ? $"or quarantine for {WireDuration.Format(lasts)}" : null,
                limit.Challenges == true ? "or people are asked" : null,
            }.OfType<string>()
        );
}
