using System.CommandLine;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Owners;

/// <summary>Who is gone or back, and why.</summary>
internal sealed class OwnerArguments
{
    private readonly Argument<string> _issuer = new("ISSUER")
    {
        Description = "The owner's issuer, as the policy has it",
    };
    private readonly Argument<string> _subject = new("SUBJECT")
    {
        Description = "The owner's subject, as the policy has it",
    };
    private readonly Option<string> _reason = new("--reason")
    {
        HelpName = "TEXT",
        Description = "Why; stands in the audit log",
        Required = true,
    };

    public void AddTo(Command command)
    {
        command.Add(_issuer);
        command.Add(_subject);
        command.Add(_reason);
    }

    public OwnerRequest Of(ParseResult parsed) =>
        new()
        {
            Issuer = parsed.GetRequiredValue(_issuer),
            Subject = parsed.GetRequiredValue(_subject),
            Reason = parsed.GetRequiredValue(_reason),
        };
}
