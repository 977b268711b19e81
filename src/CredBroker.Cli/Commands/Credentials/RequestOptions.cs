using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Credentials;

/// <summary>
/// What <c>exchange</c> and <c>exec</c> ask for: the credential, the task it is for, and what will be done with it.
/// </summary>
internal sealed class RequestOptions
{
    private readonly Argument<string> _credential = new("CREDENTIAL")
    {
        Description = "The catalogue's name of the credential",
    };
    private readonly Option<string> _process = new("--process")
    {
        HelpName = "NAME",
        Description = "The business process, as the policy names it",
        Required = true,
    };
    private readonly Option<string> _task = new("--task")
    {
        HelpName = "ID",
        Description = "Your id for this run of the process",
        Required = true,
    };
    private readonly Option<string> _purpose = new("--purpose")
    {
        HelpName = "TEXT",
        Description = "Why; stands in the audit log",
        Required = true,
    };
    private readonly Option<string[]> _actions = new("--action")
    {
        HelpName = "NAME",
        Description = "What will be done with it; repeat for more",
        Required = true,
    };
    private readonly Option<string?> _resource = new("--resource")
    {
        HelpName = "TEXT",
        Description = "What it will be done to",
    };
    private readonly Option<string[]> _params = new("--param")
    {
        HelpName = "NAME=VALUE",
        Description = "A parameter of the credential, such as tenant=acme; repeat for more",
    };
    private readonly Option<TimeSpan?> _ttl = new("--ttl")
    {
        HelpName = "10m",
        Description = "For how long; the credential's maximum unless given",
        CustomParser = ParseDuration,
    };
    private readonly Option<string?> _tool = new("--tool")
    {
        HelpName = "NAME",
        Description = "The tool call that it is for",
    };
    private readonly Option<string?> _toolArguments = new("--tool-arguments")
    {
        HelpName = "JSON",
        Description = "The tool call's arguments: a JSON object, or @FILE",
    };
    private readonly Option<bool> _newKey = new("--new-key")
    {
        Description = "For a certificate: make an EC P-256 key here and send a certificate request",
    };

    public Option<bool> NewKey => _newKey;

    public void AddTo(Command command)
    {
        command.Add(_credential);
        command.Add(_process);
        command.Add(_task);
        command.Add(_purpose);
        command.Add(_actions);
        command.Add(_resource);
        command.Add(_params);
        command.Add(_ttl);
        command.Add(_tool);
        command.Add(_toolArguments);
        command.Add(_newKey);
    }

    public ExchangeRequest Build(ParseResult parsed, CertificateKey? key) =>
        new()
        {
            Credential = parsed.GetRequiredValue(_credential),
            Task = new()
            {
                Id = parsed.GetRequiredValue(_task),
                Process = parsed.GetRequiredValue(_process),
                Purpose = parsed.GetRequiredValue(_purpose),
            },
            Actions = parsed.GetRequiredValue(_actions),
            Resource = parsed.GetValue(_resource),
            Params = Params(parsed),
            Ttl = parsed.GetValue(_ttl),
            Csr = key?.CreateRequest(),
            ToolCall = ToolCall(parsed.GetValue(_tool), parsed.GetValue(_toolArguments)),
        };

    public static TimeSpan? ParseDuration(ArgumentResult result)
    {
        if (WireDuration.TryParse(result.Tokens[0].Value, out var duration))
        {
            return duration;
        }

        result.AddError(
            $"\"{result.Tokens[0].Value}\" is no duration: write a whole number and s, m or h, such as 90s, 10m or 2h."
        );
        return null;
    }

    private Dictionary<string, string>? Params(ParseResult parsed)
    {
        if (parsed.GetValue(_params) is not { Length: > 0 } given)
        {
            return null;
        }

        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in given)
        {
            var end = text.IndexOf('=', StringComparison.Ordinal);
            if (end <= 0 || !values.TryAdd(text[..end], text[(end + 1)..]))
            {
                throw CliException.Usage(
                    $"--param {text} is no parameter, or names one twice.",
                    "Write each once as NAME=VALUE, such as tenant=acme."
                );
            }
        }

        return values;
    }

    /// <summary>A tool call as the command line names it; null where it names none.</summary>
    public static ToolCallDeclaration? ToolCall(string? name, string? arguments)
    {
        if (name is null)
        {
            return arguments is null
                ? null
                : throw CliException.Usage("--tool-arguments needs --tool.", "Name the tool with --tool.");
        }

        try
        {
            var text = arguments switch
            {
                null => "{}",
                ['@', .. var file] => File.ReadAllText(file),
                _ => arguments,
            };
            var json = JsonElement.Parse(text);
            return json.ValueKind == JsonValueKind.Object
                ? new() { Name = name, Arguments = json }
                : throw CliException.Usage(
                    "The tool's arguments are no JSON object.",
                    """Write them as '{"amount": 10}', or @FILE."""
                );
        }
        catch (JsonException exception)
        {
            throw CliException.Usage(
                $"The tool's arguments are no JSON: {exception.Message}",
                """Write them as '{"amount": 10}', or @FILE."""
            );
        }
    }
}
