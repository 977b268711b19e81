namespace CredBroker.Client;

/// <summary>Makes the usual sources of identity tokens.</summary>
public static class TokenSource
{
    /// <summary>The variable that names a token's file.</summary>
    public const string FileVariable = "CREDBROKER_TOKEN_FILE";

    /// <summary>The variable that GitLab's <c>id_tokens</c> is asked to fill.</summary>
    public const string GitLabVariable = "CREDBROKER_ID_TOKEN";

    /// <summary>Where Kubernetes is asked to project a <c>serviceAccountToken</c>.</summary>
    public const string KubernetesPath = "/var/run/secrets/credbroker/token";

    /// <summary>A file, read again for each call.</summary>
    public static ITokenSource File(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new FileTokenSource(path);
    }

    /// <summary>The file that the kubelet projects and replaces before it expires.</summary>
    /// <param name="path">The path of the projection; <see cref="KubernetesPath"/> unless given.</param>
    public static ITokenSource Kubernetes(string path = KubernetesPath) => File(path);

    /// <summary>An environment variable, read again for each call.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="variable">Reads a variable; the process's environment unless given.</param>
    public static ITokenSource Environment(string name, Func<string, string?>? variable = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new EnvironmentTokenSource(name, variable ?? System.Environment.GetEnvironmentVariable);
    }

    /// <summary>The variable that a GitLab job declares under <c>id_tokens</c>.</summary>
    /// <param name="name">Its name; <see cref="GitLabVariable"/> unless given.</param>
    public static ITokenSource GitLab(string name = GitLabVariable) => Environment(name);

    /// <summary>
    /// The OIDC endpoint of a GitHub Actions job with <c>permissions: id-token: write</c>, asked again for each call.
    /// </summary>
    /// <param name="audience">The audience that the broker expects.</param>
    /// <param name="variable">Reads a variable; the process's environment unless given.</param>
    public static ITokenSource GitHubActions(string audience, Func<string, string?>? variable = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(audience);
        return new GitHubTokenSource(audience, variable ?? System.Environment.GetEnvironmentVariable);
    }

    /// <summary>A function that gives the token, asked again for each call.</summary>
    /// <param name="read">Gives the token.</param>
    /// <param name="description">For messages: where it comes from.</param>
    public static ITokenSource From(
        Func<CancellationToken, ValueTask<string>> read,
        string description = "the token provider"
    )
    {
        ArgumentNullException.ThrowIfNull(read);
        return new DelegateTokenSource(read, description);
    }

    /// <summary>
    /// A workload's token from where it runs: the file that <see cref="FileVariable"/> names, GitLab's variable,
    /// GitHub's request, or Kubernetes' projected file, in this order.
    /// </summary>
    /// <param name="audience">The audience to ask GitHub's token for.</param>
    /// <param name="variable">Reads a variable; the process's environment unless given.</param>
    /// <exception cref="TokenSourceException">None of them is there.</exception>
    public static ITokenSource Detect(string audience, Func<string, string?>? variable = null)
    {
        variable ??= System.Environment.GetEnvironmentVariable;
        if (variable(FileVariable) is { Length: > 0 } path)
        {
            return File(path);
        }

        if (variable(GitLabVariable) is { Length: > 0 })
        {
            return Environment(GitLabVariable, variable);
        }

        if (GitHubTokenSource.IsPresent(variable))
        {
            return GitHubActions(audience, variable);
        }

        return System.IO.File.Exists(KubernetesPath)
            ? Kubernetes()
            : throw new TokenSourceException(
                "There is no identity token.",
                $"Name its file in {FileVariable}; in GitLab declare the id_token {GitLabVariable}; in GitHub set \"permissions: id-token: write\"; "
                    + $"in Kubernetes project a serviceAccountToken to {KubernetesPath}."
            );
    }
}
