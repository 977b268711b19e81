using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>Completion in a real shell, by the script that the command prints.</summary>
public sealed class CompletionTests
{
    [Theory]
    [InlineData("credbroker lea", "leases")]
    [InlineData("credbroker leases re", "revoke")]
    [InlineData("credbroker leases revoke --ag", "--agent")]
    [InlineData("credbroker outcome x --status ", "abandoned")]
    public async Task Bash_completes_commands_options_and_words(string line, string expected)
    {
        using var folder = new TemporaryFolder();
        var command = folder.File("credbroker");
        await File.WriteAllTextAsync(command, $"#!/bin/sh\nexec dotnet '{CliRun.Program}' \"$@\"\n");
        File.SetUnixFileMode(command, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        await using var bash = ChildProcess.Start(
            "bash",
            [
                "-c",
                $"""
                export PATH="{folder.Path}:$PATH"
                source <(credbroker completion bash)
                COMP_LINE='{line}'
                COMP_POINT=${"{#COMP_LINE}"}
                read -ra COMP_WORDS <<<"$COMP_LINE"
                [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
                COMP_CWORD=$((${"{#COMP_WORDS[@]}"} - 1))
                _credbroker
                printf '%s\n' "${"{COMPREPLY[@]}"}"
                """,
            ]
        );
        await bash.Process.WaitForExitAsync();

        Assert.Contains(expected, bash.Output.Split('\n'));
    }
}
