using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;

namespace CredBroker.Cli.Commands.Policy;

/// <summary>Policy documents on disk, for the commands that work without a broker.</summary>
internal static class PolicyText
{
    /// <summary>Reads a document and the schemas beside it.</summary>
    public static Task<PolicyDocument> ReadAsync(string path, CancellationToken cancellationToken) =>
        ReadAsync(path, "Name the policy document.", cancellationToken);

    /// <summary>The same, with what to do where there is no such file.</summary>
    public static async Task<PolicyDocument> ReadAsync(string path, string next, CancellationToken cancellationToken) =>
        await PolicyFile.ReadAsync(path, cancellationToken)
        ?? throw CliException.Usage($"There is no file {path}.", next);

    /// <summary>Reads and compiles it; a document with faults is shown by <c>policy lint</c>, not here.</summary>
    public static async Task<PolicySet> CompileAsync(string path, CancellationToken cancellationToken)
    {
        var compilation = PolicyCompiler.Compile(await ReadAsync(path, cancellationToken));
        return compilation.Set
            ?? throw CliException.Usage(
                $"{path} has {compilation.Faults.Count} faults; the first: {compilation.Faults[0]}",
                $"See all of them with: credbroker policy lint {path}"
            );
    }
}
