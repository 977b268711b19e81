using System.Text.Json;
using System.Text.Json.Serialization;
using CredBroker.Cli.Commands.Audit;
using CredBroker.Cli.Commands.Health;
using CredBroker.Cli.Commands.Policy;
using CredBroker.Cli.Commands.Store;
using CredBroker.Cli.Login;

namespace CredBroker.Cli.Output;

/// <summary>
/// How the command line's own documents are written; what the API defines is written as the API does.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(FailureOutput))]
[JsonSerializable(typeof(RecordedOutput))]
[JsonSerializable(typeof(ClosedOutput))]
[JsonSerializable(typeof(DoctorReport))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
[JsonSerializable(typeof(VerificationOutput))]
[JsonSerializable(typeof(DenialOutput[]))]
[JsonSerializable(typeof(LintOutput[]))]
[JsonSerializable(typeof(PolicyTestReport))]
[JsonSerializable(typeof(SetupFindingOutput[]))]
[JsonSerializable(typeof(CheckFindingOutput[]))]
[JsonSerializable(typeof(OrphanOutput[]))]
[JsonSerializable(typeof(StoreReportOutput))]
[JsonSerializable(typeof(MigrationOutput))]
[JsonSerializable(typeof(MovedOutput))]
[JsonSerializable(typeof(LoginFile))]
[JsonSerializable(typeof(KeptLogin))]
[JsonSerializable(typeof(PolicyChangeOutput))]
internal sealed partial class CliJson : JsonSerializerContext;

/// <summary>A line of <c>vault setup --compare</c> and <c>--apply</c>.</summary>
internal sealed record SetupFindingOutput(string State, string Kind, string Path, IReadOnlyList<string> Details);

/// <summary>A line of <c>vault check</c>.</summary>
internal sealed record CheckFindingOutput(bool Passed, string What, string Detail)
{
    /// <summary>There, and true, where the look says nothing of this login.</summary>
    public bool? MeansNothing { get; init; }
}

/// <summary>A line of <c>vault check --orphans</c>.</summary>
internal sealed record OrphanOutput(string VaultLeaseId, DateTimeOffset IssuedAt, string State);

/// <summary>What <c>outcome</c> put on record.</summary>
internal sealed record RecordedOutput(string LeaseId, string Status);

/// <summary>What <c>task close</c> closed.</summary>
internal sealed record ClosedOutput(string Task, string Process);
