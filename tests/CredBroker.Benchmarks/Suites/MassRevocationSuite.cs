using System.Diagnostics;
using CredBroker.Benchmarks.Children;
using CredBroker.Benchmarks.Load;
using CredBroker.Core.Issuing;
using CredBroker.Testing.Servers;

namespace CredBroker.Benchmarks.Suites;

/// <summary>
/// Target 4 on a real OpenBao: an order that takes back all of an instance's secrets, until each is confirmed, beside the
/// rates at which OpenBao takes back as many of the same by itself: those that hang on tokens of one role by
/// <c>revoke-prefix</c>, and one by one for a client that says no more than what must be said.
/// </summary>
internal static class MassRevocationSuite
{
    private const int Concurrency = 32;
    private const int Rounds = 3;
    private const double Goal = 0.9;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>A kind of secret, and how one is made by the token that its credential's role has made.</summary>
    private sealed record Kind(string Title, string Credential, string Method, string Path, string Leases);

    private static readonly Kind[] Kinds =
    [
        new(
            "tokens",
            BenchPolicy.Token,
            "POST",
            "auth/token/create/cb-bench-deploy-token",
            "auth/token/create/cb-bench-deploy-token/"
        ),
        new(
            "PostgreSQL users",
            BenchPolicy.Database,
            "GET",
            "database/creds/cb-bench-reports",
            "database/creds/cb-bench-reports/"
        ),
    ];

    public static async Task RunAsync(BenchOptions options)
    {
        Report.PrintTitle(
            $"mass: an order takes back {options.Mass:N0} secrets on a real OpenBao, SQLite, beside OpenBao's own rate; "
                + $"{Rounds} rounds in turn"
        );
        if (OpenBao.FindBinary() is not { } binary)
        {
            Console.WriteLine($"  skipped: {OpenBao.NotFound}");
            return;
        }

        if (TestPostgres.FindPrograms() is null)
        {
            Console.WriteLine("  skipped: there is no initdb");
            return;
        }

        using var agents = new Agents();
        using var directory = new BenchDirectory(options);
        await using var postgres = await BenchPostgres.StartAsync(directory, flushes: true);
        var policy = BenchPolicy.On(postgres, await postgres.CreateAdminAsync());
        await using var bao = await OpenBao.StartAsync(binary);
        var token = await bao.SetUpAsync(policy, [.. Kinds.Select(kind => kind.Credential)]);
        await using var broker = await FullBroker.StartOnSqliteAsync(
            "broker",
            directory.Info,
            agents,
            bao.Child.Address,
            token,
            policy
        );
        foreach (var kind in Kinds)
        {
            await MeasureAsync(kind, broker, bao, agents, options.Mass);
        }
    }

    private static async Task MeasureAsync(Kind kind, FullBroker broker, OpenBao bao, Agents agents, int count)
    {
        var admin = agents.MintAdmin();
        var rates = new List<(double Broker, double Prefix, double OneByOne)>();

        // The first round warms up, and counts for nothing.
        for (var round = 0; round <= Rounds; round++)
        {
            var (instance, rate) = ($"{kind.Credential}-{round}", (Broker: 0.0, Prefix: 0.0, OneByOne: 0.0));
            Func<Task>[] turns =
            [
                async () =>
                    rate.Broker = await ByOrderAsync(
                        kind,
                        broker,
                        bao,
                        agents.MintOne(instance),
                        admin,
                        instance,
                        count
                    ),
                async () => rate.Prefix = await ByPrefixAsync(kind, bao, count),
                async () => rate.OneByOne = await OneByOneAsync(kind, bao, count),
            ];
            foreach (var turn in round % 2 == 0 ? turns : turns.Reverse())
            {
                await turn();
            }

            if (round > 0)
            {
                rates.Add(rate);
            }
        }

        var table = new Table(kind.Title, "per second, middle round", "broker ÷", "(lowest–highest round)");
        table.Add("broker: order, until each is confirmed", $"{Middle(rates.Select(rate => rate.Broker)):N0}", "", "");
        Add("OpenBao by itself: revoke-prefix", rate => rate.Prefix);
        Add($"OpenBao, {Concurrency} callers, one by one", rate => rate.OneByOne);
        table.Print();
        Report.PrintGoal(
            "broker ÷ OpenBao by itself",
            Middle(rates.Select(rate => rate.Broker / rate.Prefix)),
            "≥",
            Goal
        );
        Report.PrintGoal("broker ÷ one by one", Middle(rates.Select(rate => rate.Broker / rate.OneByOne)), "≥", Goal);

        void Add(string name, Func<(double Broker, double Prefix, double OneByOne), double> other)
        {
            var ratios = rates.Select(rate => rate.Broker / other(rate)).Order().ToList();
            table.Add(
                name,
                $"{Middle(rates.Select(other)):N0}",
                $"{Middle(ratios):N2}",
                $"({ratios[0]:N2}–{ratios[^1]:N2})"
            );
        }

        static double Middle(IEnumerable<double> figures) => figures.Order().ElementAt(Rounds / 2);
    }

    /// <summary>How many a second of what an instance was given, by one order, until each is confirmed.</summary>
    private static async Task<double> ByOrderAsync(
        Kind kind,
        FullBroker broker,
        OpenBao bao,
        string token,
        string admin,
        string instance,
        int count
    )
    {
        // Where the order before was late, revoking comes first for so long.
        await Task.Delay(RevocationPace.Lasts, TimeProvider.System);
        await LoadRun.RunAsync(broker.Asking(ExchangeRequests.Of([token], kind.Credential)), Concurrency, count);
        var order = await broker.OrderAsync(admin, instance);
        if (order.Leases != count)
        {
            throw new InvalidOperationException($"The order reached {order.Leases} of {count} leases.");
        }

        await ExpectGoneAsync(kind, bao);
        return count / order.AllConfirmed.TotalSeconds;
    }

    /// <summary>
    /// How many a second of the tokens of the credential's role with all that hangs on them, until OpenBao lists none of it.
    /// </summary>
    private static async Task<double> ByPrefixAsync(Kind kind, OpenBao bao, int count)
    {
        await MakeAsync(kind, bao, count);
        var start = Stopwatch.GetTimestamp();
        await bao.PostAsync($"sys/leases/revoke-prefix/auth/token/create/cb-bench-{kind.Credential}", []);
        while (!await IsGoneAsync(kind, bao))
        {
            if (Stopwatch.GetElapsedTime(start) > Limit)
            {
                throw new InvalidOperationException($"OpenBao has not revoked {kind.Title} within {Limit}.");
            }

            await Task.Delay(Look, TimeProvider.System);
        }

        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>How many a second, each as the broker revokes it and none proven: its lease at the backend, then its token.</summary>
    private static async Task<double> OneByOneAsync(Kind kind, OpenBao bao, int count)
    {
        var made = await MakeAsync(kind, bao, count);
        var run = await LoadRun.RunAsync(
            Calling(
                bao,
                async (connection, index) =>
                {
                    var (accessor, lease) = made[index];
                    if (lease is not null)
                    {
                        var revoked = await connection.SendAsync(
                            Request("POST", "sys/leases/revoke", $$"""{"lease_id":"{{lease}}","sync":true}""")
                        );
                        if (!revoked.IsSuccess)
                        {
                            return revoked;
                        }
                    }

                    return await connection.SendAsync(
                        Request("POST", "auth/token/revoke-accessor", $$"""{"accessor":"{{accessor}}"}""")
                    );
                }
            ),
            Concurrency,
            count
        );
        await ExpectGoneAsync(kind, bao);
        return run.PerSecond;
    }

    /// <summary>As many as the broker made, by the same two calls each.</summary>
    private static async Task<IReadOnlyList<(string Accessor, string? Lease)>> MakeAsync(
        Kind kind,
        OpenBao bao,
        int count
    )
    {
        var made = new (string, string?)[count];
        await LoadRun.RunAsync(
            Calling(
                bao,
                async (connection, index) =>
                {
                    var child = await connection.SendAsync(
                        OpenBao.ChildTokenRequest(kind.Credential, index, OpenBao.RootToken)
                    );
                    if (!child.IsSuccess)
                    {
                        return child;
                    }

                    var accessor = child.Text("accessor");
                    var secret = await connection.SendAsync(
                        HttpConnection.Request(
                            kind.Method,
                            "/v1/" + kind.Path,
                            $"X-Vault-Token: {child.Text("client_token")}\r\n",
                            kind.Method == "POST" ? """{"ttl":"600s"}""" : ""
                        )
                    );
                    if (!secret.IsSuccess)
                    {
                        return secret;
                    }

                    made[index] = (accessor, secret.Text("lease_id") is { Length: > 0 } lease ? lease : null);
                    return secret;
                }
            ),
            Concurrency,
            count
        );
        return made;
    }

    private static Contender Calling(OpenBao bao, Func<HttpConnection, int, ValueTask<HttpAnswer>> operation) =>
        new("OpenBao", [bao.Child.Address], [bao.Child.CpuTime], operation);

    private static byte[] Request(string method, string path, string body) =>
        HttpConnection.Request(method, "/v1/" + path, $"X-Vault-Token: {OpenBao.RootToken}\r\n", body);

    /// <summary>Whether none is listed any more; the second list is asked for when the first is empty only.</summary>
    private static async Task<bool> IsGoneAsync(Kind kind, OpenBao bao) =>
        await bao.CountLeasesAsync(kind.Leases) == 0
        && await bao.CountLeasesAsync($"auth/token/create/cb-bench-{kind.Credential}/") == 0;

    private static async Task ExpectGoneAsync(Kind kind, OpenBao bao)
    {
        // What hangs on a revoked token OpenBao takes back afterwards.
        using var limit = new CancellationTokenSource(Limit);
        while (!await IsGoneAsync(kind, bao))
        {
            await Task.Delay(Look, TimeProvider.System, limit.Token);
        }
    }
}
