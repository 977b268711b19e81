using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Policy;

/// <summary>
/// What <c>policy apply</c> and <c>policy rollback</c> have in common: show what a document would change, compared with the
/// version in force, have somebody say yes, and then change that version and no other.
/// </summary>
internal sealed class PolicyChange
{
    private const string NoPolicy = "CB2010";
    private const string TooLarge = "CB6002";

    private readonly Option<bool> _yes = new("--yes") { Description = "Do not ask whether to go on" };
    private readonly Option<TimeSpan?> _replay = PastPeriod.Create(
        "--require-replay",
        "Decide the requests of this time again first, and go on only if no more than --max-new-denials are denied that were not"
    );
    private readonly Option<long> _maxDenials = new("--max-new-denials")
    {
        HelpName = "N",
        Description = "How many requests of --require-replay may be denied that were not",
        DefaultValueFactory = _ => 0,
    };
    private readonly Option<bool> _incomplete = new("--accept-incomplete-replay")
    {
        Description = "Go on where a part of --require-replay's time was archived, or its records are damaged",
    };

    public void AddTo(Command command)
    {
        command.Add(_yes);
        command.Add(_replay);
        command.Add(_maxDenials);
        command.Add(_incomplete);
    }

    /// <summary>The version in force, and the hash that a change has to name.</summary>
    public static async Task<(PolicyResponse? Policy, string? Hash)> InForceAsync(
        AdminClient client,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var policy = await client.GetPolicyAsync(cancellationToken);
            return (policy, policy.Hash);
        }
        catch (BrokerProblemException none) when (none.Code == NoPolicy)
        {
            // There may be one all the same, which this broker does not understand.
            return (
                null,
                (await client.ListPolicyVersionsAsync(cancellationToken: cancellationToken))
                    is { Versions: [var newest, ..] }
                    ? newest.Hash
                    : null
            );
        }
    }

    /// <summary>Shows, asks, sends.</summary>
    public async Task<int> RunAsync(
        ParseResult parsed,
        Terminal terminal,
        AdminClient client,
        PolicyPreviewRequest document,
        string? inForce,
        string question,
        Func<Task<PolicyResponse>> send,
        CancellationToken cancellationToken
    )
    {
        Check(parsed);
        var format = OutputOption.Of(parsed, terminal);
        var preview = await PreviewAsync(terminal, client, document, cancellationToken);
        if (format != OutputFormat.Json && preview is not null)
        {
            PolicyPreviewTable.Write(terminal, format, preview);
        }

        var output = new PolicyChangeOutput { Preview = preview };
        if (preview?.Faults is not null)
        {
            return Tell(terminal, format, output, ExitCodes.FaultsFound);
        }

        var isInForce = preview?.Hash is { } hash && hash == inForce;
        if (!isInForce)
        {
            if (parsed.GetValue(_replay) is { } period)
            {
                output = output with
                {
                    Replay = await ReplayAsync(terminal, client, document, period, cancellationToken),
                };
                if (format != OutputFormat.Json)
                {
                    ReplayRun.Write(terminal, format, output.Replay);
                }

                if (WhyNot(parsed, output.Replay) is { } fault)
                {
                    terminal.Error.WriteLine(fault);
                    return Tell(terminal, format, output, ExitCodes.FaultsFound);
                }
            }

            if (format == OutputFormat.Json && preview is not null && !parsed.GetValue(_yes))
            {
                terminal.Error.WriteLine(PolicyPreviewTable.Sum(preview));
            }

            if (!parsed.GetValue(_yes) && !await Question.AskAsync(terminal, question, cancellationToken))
            {
                terminal.Error.WriteLine("Nothing was changed.");
                return Tell(terminal, format, output, ExitCodes.Refused);
            }
        }

        output = output with { InForce = await send() };
        if (format != OutputFormat.Json)
        {
            terminal.Error.WriteLine(
                isInForce
                    ? $"That is what version {output.InForce.Version} says, which is in force: nothing was changed."
                    : $"Version {output.InForce.Version} is in force, {output.InForce.Hash}."
            );
        }

        return Tell(terminal, format, output, ExitCodes.Done);
    }

    /// <summary>A bound that nothing is compared with would look like one that holds.</summary>
    private void Check(ParseResult parsed)
    {
        if (parsed.GetValue(_maxDenials) < 0)
        {
            throw CliException.Usage("--max-new-denials is negative.", "Write a whole number, such as 0.");
        }

        if (
            parsed.GetValue(_replay) is null
            && (parsed.GetResult(_maxDenials) is { Implicit: false } || parsed.GetValue(_incomplete))
        )
        {
            throw CliException.Usage(
                "--max-new-denials and --accept-incomplete-replay say nothing without --require-replay.",
                "Say how far to look back, such as --require-replay 30d."
            );
        }
    }

    /// <summary>Null where it cannot be shown: a long version came from a file, and going back to it must be possible.</summary>
    private static async Task<PolicyPreviewResponse?> PreviewAsync(
        Terminal terminal,
        AdminClient client,
        PolicyPreviewRequest document,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await client.PreviewPolicyAsync(document, cancellationToken);
        }
        catch (BrokerProblemException tooLong) when (tooLong.Code == TooLarge)
        {
            terminal.Error.WriteLine("It is too long for the broker to say beforehand what it would end.");
            return null;
        }
    }

    private static int Tell(Terminal terminal, OutputFormat format, PolicyChangeOutput output, int exitCode)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(output, CliJson.Default.PolicyChangeOutput));
        }

        return exitCode;
    }

    private static Task<PolicyReplayResponse> ReplayAsync(
        Terminal terminal,
        AdminClient client,
        PolicyPreviewRequest document,
        TimeSpan period,
        CancellationToken cancellationToken
    ) =>
        ReplayRun.RunAsync(
            terminal,
            client,
            new()
            {
                Text = document.Text,
                Schemas = document.Schemas,
                From = terminal.Time.GetUtcNow() - period,
            },
            cancellationToken
        );

    private string? WhyNot(ParseResult parsed, PolicyReplayResponse replay)
    {
        var max = parsed.GetValue(_maxDenials);
        if (replay.NewDenials > max)
        {
            return $"Not applied: {replay.NewDenials} requests would be denied that were not, and --max-new-denials is {max}.";
        }

        // Calls that were only counted were refused already, and any stranger can have some counted.
        return !parsed.GetValue(_incomplete) && (replay.ArchivedUntil is not null || replay.Unreadable > 0)
            ? "Not applied: a part of that time could not be decided again. If that will do, add --accept-incomplete-replay."
            : null;
    }
}

/// <summary>What <c>policy apply</c> and <c>policy rollback</c> write as JSON.</summary>
internal sealed record PolicyChangeOutput
{
    /// <summary>What it would end; absent where it is too long to be asked about.</summary>
    public required PolicyPreviewResponse? Preview { get; init; }

    /// <summary>What it would have said to the past, where that was asked for.</summary>
    public PolicyReplayResponse? Replay { get; init; }

    /// <summary>The version in force afterwards; absent where nothing was sent.</summary>
    public PolicyResponse? InForce { get; init; }
}
