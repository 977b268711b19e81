using System.CommandLine;

namespace CredBroker.Cli.Commands;

/// <summary><c>credbroker completion</c>: what a shell needs to complete this command line.</summary>
internal sealed class CompletionCommand : Command
{
    // Each asks the command itself, by System.CommandLine's directive, what fits at the cursor; no network is asked.
    private static readonly Dictionary<string, string> Scripts = new()
    {
        ["bash"] = """
            _credbroker() {
              local IFS=$'\n'
              COMPREPLY=($(compgen -W "$(credbroker "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -o default -F _credbroker credbroker
            """,
        ["zsh"] = """
            #compdef credbroker
            _credbroker() {
              local -a fitting
              fitting=("${(@f)$(credbroker "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
              compadd -- $fitting || _files
            }
            compdef _credbroker credbroker
            """,
        ["fish"] = """
            complete -c credbroker -a '(credbroker "[suggest:"(commandline -C)"]" (commandline) 2>/dev/null)'
            """,
    };

    private readonly Argument<string> _shell = new("SHELL") { Description = "bash, zsh or fish" };

    public CompletionCommand(Terminal terminal)
        : base(
            "completion",
            """
            Print what makes a shell complete commands and options.
            bash: source <(credbroker completion bash)
            zsh:  source <(credbroker completion zsh)
            fish: credbroker completion fish | source
            """
        )
    {
        _shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        Add(_shell);
        SetAction(parsed => terminal.Out.WriteLine(Scripts[parsed.GetRequiredValue(_shell)]));
    }
}
