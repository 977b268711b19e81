using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CredBroker.Core.Policy;
using CredBroker.Core.Text;
using CredBroker.Dev;
using CredBroker.Vault;
using CredBroker.Vault.Setup;

namespace CredBroker.Server.Dev;

/// <summary>
/// Prepares a <see cref="DevVault"/> the way an operator prepares a real Vault: by <c>vault setup --apply</c>, and then
/// the two things that are the operator's own.
/// </summary>
internal sealed class DevVaultPreparation(DevVault vault, VaultOptions options) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false })
    {
        BaseAddress = vault.Address,
        DefaultRequestHeaders = { { "X-Vault-Token", vault.RootToken } },
    };

    /// <summary>
    /// Makes everything that the catalogue needs, the values that its KV entries read, and the broker's own token in
    /// <see cref="VaultOptions.TokenFile"/>.
    /// </summary>
    public async Task RunAsync(
        IReadOnlyCollection<CatalogueEntry> catalogue,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        using (var setup = new SetupRun(options, new SecretText(vault.RootToken), time))
        {
            var report = await setup.ApplyAsync(SetupPlan.For(options.Installation, catalogue), cancellationToken);
            if (
                report.Findings.FirstOrDefault(finding =>
                    finding.State
                        is SetupState.Failed
                            or SetupState.Differs
                            or SetupState.Outdated
                            or SetupState.Missing
                ) is
                { } finding
            )
            {
                throw new InvalidOperationException(
                    $"DevVault could not be set up: {finding.Step.Path}: {string.Join("; ", finding.Details)}"
                );
            }
        }

        // What a request's parameters lead to is not known here: such values are for whoever tries it to write.
        foreach (
            var kv in catalogue
                .Where(entry => entry.Params is null)
                .Select(entry => entry.Vault)
                .OfType<VaultBinding.KeyValue>()
        )
        {
            using var stored = await PostAsync(
                $"{kv.Mount}/data/{kv.Path}",
                $$$"""{"data":{"key":"dev-{{{RandomNumberGenerator.GetHexString(32, lowercase: true)}}}"}}""",
                cancellationToken
            );
        }

        using var made = await PostAsync(
            $"auth/token/create/{new VaultNames(options.Installation).Broker}",
            "{}",
            cancellationToken
        );
        await OwnerOnlyFile.WriteNewAsync(
            options.TokenFile,
            made.RootElement.GetProperty("auth").GetProperty("client_token").GetString()!,
            cancellationToken
        );
    }

    public void Dispose() => _http.Dispose();

    private async Task<JsonDocument> PostAsync(string path, string body, CancellationToken cancellationToken)
    {
        using var content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using var response = await _http.PostAsync(
            new Uri("/v1/" + path, UriKind.Relative),
            content,
            cancellationToken
        );
        response.EnsureSuccessStatusCode();
        return await JsonDocument.ParseAsync(
            await response.Content.ReadAsStreamAsync(cancellationToken),
            cancellationToken: cancellationToken
        );
    }
}
