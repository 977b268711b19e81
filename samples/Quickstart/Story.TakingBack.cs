using System.Globalization;
using CredBroker.Client;

namespace CredBroker.Samples.Quickstart;

/// <content>What an admin and a new policy take back.</content>
internal sealed partial class Story
{
    private async Task RevokeAgentAsync(CancellationToken cancellationToken)
    {
        narrator.Step("An admin takes everything from the agent");
        var (_, certificate) = await CertifyAsync(null, cancellationToken);
        using (certificate)
        {
            narrator.Say("the agent holds the API key, and a new certificate");
            await ExpectAsync(
                certificate,
                accepted: true,
                "hello",
                "a TLS handshake with the billing service",
                cancellationToken
            );
            var admin = broker.Person("admin");
            var order = new RevocationRequest { Agent = "triage", Reason = "it behaves oddly" };
            var preview = await admin.PreviewRevocationAsync(order, cancellationToken);
            var held = preview.Leases.Select(lease => lease.Credential).Order(StringComparer.Ordinal);
            narrator.Check(preview.Leases.Count == 2, $"a dry run shows what would go: {string.Join(", ", held)}");

            var ordered = TimeProvider.System.GetTimestamp();
            var accepted = await admin.RevokeAsync(order, cancellationToken);
            var progress = await WaitAsync(
                () => admin.GetRevocationAsync(accepted.RevocationId, cancellationToken),
                progress => progress.Complete,
                cancellationToken
            );
            var took = TimeProvider.System.GetElapsedTime(ordered);
            var counts = progress.Counts.Where(count => count.Value > 0).Select(count => $"{count.Value} {count.Key}");
            narrator.Check(
                progress.Counts.GetValueOrDefault(LeaseStates.Revoked) == 1
                    && progress.Counts.GetValueOrDefault(LeaseStates.Ended) == 1,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"complete after {took.TotalMilliseconds:0} ms: {string.Join(", ", counts)}"
                )
            );
            foreach (var left in progress.StillValid)
            {
                narrator.Say(
                    $"still valid: {left.Credential}: "
                        + $"{left.What}{(left.Until is { } until ? $" (until {Time(until)})" : "")}"
                );
            }

            narrator.Check(
                progress.StillValid.Any(left => left.Credential == "billing-api-key"),
                "what nobody can revoke is said, not hidden"
            );
            await ExpectAsync(
                certificate,
                accepted: false,
                "refused: revoked",
                "its certificate in another handshake",
                cancellationToken
            );
        }
    }

    private async Task ChangePolicyAsync(CancellationToken cancellationToken)
    {
        narrator.Step("The policy changes: what it no longer allows goes");
        var (issued, certificate) = await CertifyAsync(null, cancellationToken);
        using (certificate)
        {
            await ExpectAsync(
                certificate,
                accepted: true,
                "hello",
                "the agent has yet another certificate",
                cancellationToken
            );
            const string Rule = "when: agent == \"triage\" && credential.name == \"agent-mtls\"";
            var policy = await File.ReadAllTextAsync(broker.Dev.PolicyFile, cancellationToken);
            await WritePolicyAsync(
                policy.Replace(Rule, Rule + " && identity.instance == \"triage-2\"", StringComparison.Ordinal),
                cancellationToken
            );
            narrator.Say("somebody edits the policy file: certificates only for the instance triage-2");
            var lease = await WaitAsync(
                () => _agent.GetLeaseAsync(issued.LeaseId, cancellationToken),
                lease => LeaseStates.IsFinal(lease.State),
                cancellationToken
            );
            narrator.Check(
                lease is { State: LeaseStates.Revoked, Revocation.Cause: "policy-change" },
                "the lease is revoked, cause policy-change, confirmed by Vault"
            );
            await ExpectAsync(
                certificate,
                accepted: false,
                "refused: revoked",
                "its certificate in another handshake",
                cancellationToken
            );
            await DeniedAsync(
                "CB2001",
                "asking for a new one",
                _agent,
                Task,
                "agent-mtls",
                "connect",
                cancellationToken
            );

            // The old text itself would be refused: a stale copy of the file must not roll policy back.
            var restored = policy + "# The rule of triage-connects is as it was.\n";
            await WritePolicyAsync(restored, cancellationToken);
            var current = await WaitAsync(
                () => broker.Person("admin").GetPolicyAsync(cancellationToken),
                current => current.Text == restored,
                cancellationToken
            );
            narrator.Say(
                $"the edit is taken back, with a comment that says so: version {current.Version}. "
                    + "A file that is merely old is refused."
            );
        }
    }

    /// <summary>Replaces the policy file at once, as an editor or a deployment does it.</summary>
    private async Task WritePolicyAsync(string text, CancellationToken cancellationToken)
    {
        var edited = broker.Dev.PolicyFile + ".new";
        await File.WriteAllTextAsync(edited, text, cancellationToken);
        File.Move(edited, broker.Dev.PolicyFile, overwrite: true);
    }
}
