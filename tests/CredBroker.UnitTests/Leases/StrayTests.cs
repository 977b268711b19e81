using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;

namespace CredBroker.UnitTests.Leases;

/// <summary>Secrets in Vault that no record knows: orders of everything, and the start after a loss.</summary>
public sealed class StrayTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Everything_reaches_what_the_store_does_not_know(bool isRecorded)
    {
        await using var broker = await StoreLossTests.StartAsync<StateChange>(out var losing);
        var lease = await broker.IssueAsync();
        foreach (var i in Enumerable.Range(0, 12))
        {
            // As after an older copy of the store was put back.
            var stray = $"database/creds/billing/stray-{i}";
            broker.Issuer.Alive[stray] = "gone";
            broker.Issuer.MintedAt[stray] = broker.Time.GetUtcNow();
        }

        // Issued after the order: not meant.
        broker.Issuer.Alive["database/creds/billing/later"] = "another";
        broker.Issuer.MintedAt["database/creds/billing/later"] = broker.Time.GetUtcNow().AddMinutes(1);

        losing.Lost = !isRecorded;
        var order = await broker.Revocations.OrderAsync(
            new() { Everything = true },
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        if (isRecorded)
        {
            await broker.Retry.RunAsync(CancellationToken.None);
            Assert.Equal(LeaseState.Revoked, (await broker.LeaseAsync(lease.Id)).State);
            Assert.Equal(12, (await broker.EventsAsync("vault.stray-revoked")).Count);
        }
        else
        {
            await broker.Unrecorded.KillAsync(broker.Missing.Find(order.Id)!, CancellationToken.None);
        }

        Assert.Equal(["database/creds/billing/later"], broker.Issuer.Alive.Keys);
    }

    [Fact]
    public async Task Everything_reaches_what_has_left_the_policy_and_what_a_finished_record_has_wrong()
    {
        await using var broker = await BrokerHarness.StartAsync();
        var confirmed = await broker.IssueAsync();
        Assert.Equal(
            1,
            await broker.ExecuteAsync(
                $"UPDATE lease SET state = 'revoked', confirmed_at = 1893456000000 WHERE id = '{confirmed.Id}'"
            )
        );
        await broker.ApplyAsync(HarnessPolicy.WithOtherDatabase());
        await broker.ApplyAsync(HarnessPolicy.Text(comment: "without other"));
        broker.Issuer.Alive["database/creds/other/stray"] = "gone";
        broker.Issuer.MintedAt["database/creds/other/stray"] = broker.Time.GetUtcNow();

        var order = await EverythingAsync(broker);
        await broker.Retry.RunAsync(CancellationToken.None);

        Assert.Empty(broker.Issuer.Alive);
        Assert.Equal(2, (await broker.EventsAsync("vault.stray-revoked")).Count);
        var progress = await broker.Revocations.FindAsync(order.Id, CancellationToken.None);
        Assert.NotNull(progress!.Order.EnumeratedAt);
        Assert.Empty(progress.StillValid);
    }

    [Fact]
    public async Task Everything_reaches_roles_of_which_Vault_alone_tells_and_no_others()
    {
        await using var broker = await BrokerHarness.StartAsync();
        Stray(broker, "old", TimeSpan.Zero, role: "forgotten");
        Stray(broker, "old", TimeSpan.Zero, role: "another-installations");
        broker.Issuer.IsToldOf = null;

        var order = await EverythingAsync(broker);
        for (var i = 0; i < 3; i++)
        {
            await Task.WhenAll(await broker.Retry.PassAsync(CancellationToken.None));
            broker.Time.Advance(TimeSpan.FromSeconds(6));
        }

        // Vault does not answer which roles there are: nothing is proven.
        Assert.Null((await broker.Revocations.FindAsync(order.Id, CancellationToken.None))?.Order.EnumeratedAt);
        broker.Issuer.IsToldOf = role => role == "forgotten";
        await broker.Retry.RunAsync(CancellationToken.None);

        Assert.Equal(["database/creds/another-installations/old"], broker.Issuer.Alive.Keys);
        var progress = await broker.Revocations.FindAsync(order.Id, CancellationToken.None);
        Assert.NotNull(progress!.Order.EnumeratedAt);
        Assert.Empty(progress.StillValid);
    }

    [Theory]
    [InlineData("other", true)]
    [InlineData("other", false)]
    [InlineData("billing", false)]
    public async Task Everything_says_what_it_could_not_search(string credential, bool isForbidden)
    {
        await using var broker = await BrokerHarness.StartAsync();
        await broker.ApplyAsync(HarnessPolicy.WithOtherDatabase());
        await broker.ApplyAsync(HarnessPolicy.Text(comment: "without other"));
        (isForbidden ? broker.Issuer.Forbidden : broker.Issuer.Unlisted).Add(credential);

        var order = await EverythingAsync(broker);
        await broker.Retry.RunAsync(CancellationToken.None);

        var progress = await broker.Revocations.FindAsync(order.Id, CancellationToken.None);
        Assert.NotNull(progress!.Order.EnumeratedAt);
        var left = Assert.Single(progress.StillValid);
        Assert.Equal(("", credential), (left.LeaseId, left.Credential));
        Assert.StartsWith("Not searched", left.What, StringComparison.Ordinal);
        Assert.Equal([left], await PreviewAsync(broker));
    }

    [Fact]
    public async Task What_was_not_searched_is_what_the_order_did_not_search_and_not_what_one_would_not_search_now()
    {
        await using var broker = await BrokerHarness.StartAsync();
        broker.Issuer.ForbiddenPlaces.Add("archive/");
        Assert.Contains(" archive/,", Assert.Single(await PreviewAsync(broker)).What, StringComparison.Ordinal);

        var order = await EverythingAsync(broker);
        broker.Issuer.StrayOutcome = new RevokeOutcome.Failed("connection refused");
        Stray(broker, "stray", TimeSpan.Zero);
        for (var i = 0; i < 3; i++)
        {
            await Task.WhenAll(await broker.Retry.PassAsync(CancellationToken.None));
        }

        // While it is carried out, too.
        Assert.Contains(" archive/,", Assert.Single(await LeftAsync()).What, StringComparison.Ordinal);
        broker.Issuer.StrayOutcome = null;
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                broker.Time.Advance(TimeSpan.FromSeconds(6));
                await broker.Retry.RunAsync(CancellationToken.None);
                return (await broker.Revocations.FindAsync(order.Id, CancellationToken.None))!.Order.EnumeratedAt
                    is not null;
            },
            "the order is complete"
        );

        // Others are said now, and would have been then.
        broker.Issuer.ForbiddenPlaces.Clear();
        broker.Issuer.Unlisted.Add("billing");
        Assert.Contains(" archive/,", Assert.Single(await LeftAsync()).What, StringComparison.Ordinal);
        var enumerated = Assert.Single(await broker.EventsAsync("revocation.enumerated"));
        Assert.Contains(
            " archive/,",
            enumerated.GetProperty("details").GetProperty("notSearched")[0].GetString(),
            StringComparison.Ordinal
        );

        // One of an earlier version of the broker.
        await broker.ExecuteAsync("UPDATE revocation_order SET not_searched = NULL");
        Assert.Contains("was not kept", Assert.Single(await LeftAsync()).What, StringComparison.Ordinal);

        async Task<IReadOnlyList<StillValid>> LeftAsync() =>
            (await broker.Revocations.FindAsync(order.Id, CancellationToken.None))!.StillValid;
    }

    private static async Task<IReadOnlyList<StillValid>> PreviewAsync(BrokerHarness broker) =>
        (
            await broker.Revocations.DryRunAsync(
                new() { Everything = true },
                "rehearsal",
                BrokerHarness.Admin,
                BrokerHarness.Call,
                CancellationToken.None
            )
        ).StillValid;

    [Fact]
    public async Task Everything_says_which_policy_version_it_could_not_read()
    {
        await using var broker = await BrokerHarness.StartAsync();
        await broker.ApplyAsync(HarnessPolicy.WithOtherDatabase());
        await broker.ApplyAsync(HarnessPolicy.Text(comment: "without other"));
        await broker.ExecuteAsync("UPDATE policy_version SET document = '{' WHERE version = 2");
        broker.Issuer.Alive["database/creds/billing/stray"] = "gone";
        broker.Issuer.MintedAt["database/creds/billing/stray"] = broker.Time.GetUtcNow();

        var order = await EverythingAsync(broker);
        await broker.Retry.RunAsync(CancellationToken.None);

        Assert.Empty(broker.Issuer.Alive);
        var progress = await broker.Revocations.FindAsync(order.Id, CancellationToken.None);
        Assert.NotNull(progress!.Order.EnumeratedAt);
        Assert.Contains("policy version 2,", Assert.Single(progress.StillValid).What, StringComparison.Ordinal);
    }

    private static ValueTask<RevocationOrder> EverythingAsync(BrokerHarness broker) =>
        broker.Revocations.OrderAsync(
            new() { Everything = true },
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );

    [Fact]
    public async Task After_a_start_the_few_secrets_that_no_record_knows_are_revoked_once_no_mint_can_be_under_way()
    {
        await using var broker = await BrokerHarness.StartAsync();
        var lease = await broker.IssueAsync();
        Stray(broker, "old", TimeSpan.Zero);
        Stray(broker, "old", TimeSpan.Zero, role: "forgotten");
        broker.Issuer.IsToldOf = role => role == "forgotten";
        // Of another role, and of another installation's: not in this one's lists.
        broker.Issuer.Alive["database/creds/cb-other-billing/1"] = "another";
        broker.Issuer.MintedAt["database/creds/cb-other-billing/1"] = broker.Time.GetUtcNow();
        broker.Time.Advance(broker.Options.VaultRequestLimit - TimeSpan.FromSeconds(1));
        await broker.Strays.RunAsync(CancellationToken.None);
        Assert.Contains("database/creds/billing/old", broker.Issuer.Alive.Keys);

        // An exchange of this start is under way.
        Stray(broker, "young", TimeSpan.Zero);
        broker.Time.Advance(TimeSpan.FromSeconds(1));
        broker.Issuer.StrayOutcome = new RevokeOutcome.Failed("connection refused");
        await broker.Strays.RunAsync(CancellationToken.None);
        Assert.Contains("database/creds/billing/old", broker.Issuer.Alive.Keys);
        broker.Issuer.StrayOutcome = null;
        await broker.Strays.RunAsync(CancellationToken.None);
        Assert.DoesNotContain("database/creds/billing/old", broker.Issuer.Alive.Keys);
        Assert.Contains("database/creds/billing/young", broker.Issuer.Alive.Keys);

        broker.Time.Advance(broker.Options.IssuanceDeadline);
        await broker.Strays.RunAsync(CancellationToken.None);

        Assert.DoesNotContain("database/creds/billing/young", broker.Issuer.Alive.Keys);
        Assert.DoesNotContain("database/creds/forgotten/old", broker.Issuer.Alive.Keys);
        Assert.Contains("database/creds/cb-other-billing/1", broker.Issuer.Alive.Keys);
        Assert.Equal(LeaseState.Active, (await broker.LeaseAsync(lease.Id)).State);
        var events = await broker.EventsAsync("vault.stray-revoked");
        Assert.Equal(3, events.Count);
        Assert.All(events, found => Assert.Contains("recovery", found.ToString(), StringComparison.Ordinal));

        // Once: what appears later belongs to a sweep or an admin.
        Stray(broker, "later", TimeSpan.FromHours(-1));
        await broker.Strays.RunAsync(CancellationToken.None);
        Assert.Contains("database/creds/billing/later", broker.Issuer.Alive.Keys);
    }

    [Fact]
    public async Task After_a_start_more_than_a_few_secrets_that_no_record_knows_wait_for_an_admin()
    {
        await using var broker = await BrokerHarness.StartAsync();
        foreach (var i in Enumerable.Range(0, broker.Options.StrayLimit + 1))
        {
            Stray(broker, $"stray-{i}", TimeSpan.Zero);
        }

        broker.Time.Advance(broker.Options.VaultRequestLimit);
        await broker.Strays.RunAsync(CancellationToken.None);

        Assert.Equal(broker.Options.StrayLimit + 1, broker.Issuer.Alive.Count);
        Assert.Empty(await broker.EventsAsync("vault.stray-revoked"));
    }

    private static void Stray(BrokerHarness broker, string name, TimeSpan age, string role = "billing")
    {
        broker.Issuer.Alive[$"database/creds/{role}/{name}"] = "gone";
        broker.Issuer.MintedAt[$"database/creds/{role}/{name}"] = broker.Time.GetUtcNow() + age;
    }

    [Fact]
    public async Task Everything_is_not_complete_while_a_stray_lives()
    {
        await using var broker = await BrokerHarness.StartAsync();
        broker.Issuer.Alive["database/creds/billing/stray"] = "gone";
        broker.Issuer.MintedAt["database/creds/billing/stray"] = broker.Time.GetUtcNow();
        broker.Issuer.StrayOutcome = new RevokeOutcome.Failed("connection refused");
        var order = await broker.Revocations.OrderAsync(
            new() { Everything = true },
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        for (var i = 0; i < 3; i++)
        {
            await Task.WhenAll(await broker.Retry.PassAsync(CancellationToken.None));
            broker.Time.Advance(TimeSpan.FromSeconds(6));
        }

        Assert.Null((await broker.Revocations.FindAsync(order.Id, CancellationToken.None))?.Order.EnumeratedAt);
        broker.Issuer.StrayOutcome = null;
        await broker.Retry.RunAsync(CancellationToken.None);
        Assert.NotNull((await broker.Revocations.FindAsync(order.Id, CancellationToken.None))?.Order.EnumeratedAt);
        Assert.Empty(broker.Issuer.Alive);
    }
}
