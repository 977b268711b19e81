using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Benchmarks.Children;
using CredBroker.Benchmarks.Load;
using CredBroker.Testing.Servers;

namespace CredBroker.Benchmarks.Suites;

/// <summary>
/// Target 2: a secret of one engine through the broker, beside an agent that logs in to the same OpenBao with the same
/// token and makes the same call itself. OpenBao is prepared as <c>credbroker vault setup</c> does it.
/// </summary>
internal sealed class OpenBaoSuite
{
    private const int Concurrency = 32;
    private const int Returning = 1_000;

    private const double ThroughputGoal = 0.9;
    private const double CpuGoal = 0.6;

    private readonly string _credential;
    private readonly string _path;
    private readonly string _body;
    private readonly string _more;

    /// <param name="credential">Of <see cref="BenchPolicy"/>.</param>
    /// <param name="path">What the agent alone asks for, below <c>/v1/</c>.</param>
    /// <param name="body">The body of that call; empty where it is a read.</param>
    /// <param name="more">What an exchange says besides, as JSON.</param>
    private OpenBaoSuite(string credential, string path, string body = "", string more = "") =>
        (_credential, _path, _body, _more) = (credential, path, body, more);

    private bool IsKeyValue => _credential == BenchPolicy.KeyValue;

    private bool IsDatabase => _credential == BenchPolicy.Database;

    /// <summary>A value of KV: nothing is made, and an agent alone needs no more than one request for both.</summary>
    public static Task RunKeyValueAsync(BenchOptions options)
    {
        Report.PrintTitle("kv: a KV secret from a real OpenBao; CPU of the broker + of OpenBao");
        return new OpenBaoSuite(BenchPolicy.KeyValue, BenchPolicy.ValuePath).RunAsync(options);
    }

    /// <summary>A certificate for an EC P-256 key that the agent keeps.</summary>
    public static Task RunCertificateAsync(BenchOptions options)
    {
        Report.PrintTitle("pki: a certificate by CSR (EC P-256) from a real OpenBao; CPU of the broker + of OpenBao");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var csr = new CertificateRequest("", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        var body = new JsonObject
        {
            ["csr"] = csr,
            ["alt_names"] = BenchPolicy.CertificateName,
            ["ttl"] = "10m",
        };
        return new OpenBaoSuite(
            BenchPolicy.Certificate,
            "pki/sign/cb-bench-certificate",
            body.ToJsonString(),
            $",\"csr\":\"{JsonEncodedText.Encode(csr)}\""
        ).RunAsync(options);
    }

    /// <summary>A user that OpenBao makes on a PostgreSQL.</summary>
    public static Task RunDatabaseAsync(BenchOptions options)
    {
        Report.PrintTitle(
            "database: a PostgreSQL user from a real OpenBao, fsync=on; CPU of the broker + of OpenBao + of PostgreSQL"
        );
        return new OpenBaoSuite(BenchPolicy.Database, "database/creds/cb-bench-reports").RunAsync(options);
    }

    private async Task RunAsync(BenchOptions options)
    {
        if (OpenBao.FindBinary() is not { } binary)
        {
            Console.WriteLine($"  skipped: {OpenBao.NotFound}");
            return;
        }

        if (IsDatabase && TestPostgres.FindPrograms() is null)
        {
            Console.WriteLine("  skipped: there is no initdb");
            return;
        }

        using var agents = new Agents();
        using var directory = new BenchDirectory(options);
        await using var postgres = IsDatabase ? await BenchPostgres.StartAsync(directory, flushes: true) : null;
        var policy = postgres is null
            ? BenchPolicy.Document
            : BenchPolicy.On(postgres, await postgres.CreateAdminAsync());
        await using var bao = await OpenBao.StartAsync(binary);
        var brokerToken = await bao.SetUpAsync(policy, _credential);
        await bao.PostAsync(BenchPolicy.ValuePath, new() { ["data"] = new JsonObject { ["apiKey"] = "k-1f0c2d8e7b" } });
        await bao.LetInAsync(
            agents,
            $$"""path "{{_path}}" { capabilities = ["{{(_body.Length > 0 ? "update" : "read")}}"] }"""
        );
        await using var broker = await RealBroker.StartAsync(
            directory.Info,
            agents,
            bao.Child.Address,
            brokerToken,
            document: policy
        );

        var contenders = Contenders(broker, bao, brokerToken, postgres, agents.Mint(options.Tokens));
        // What makes something is slow, and what it has made stays. OpenBao is warm by then, and compiles nothing.
        await Rounds.WarmUpAsync(
            IsKeyValue ? contenders : [contenders[0]],
            options with
            {
                Concurrency = [Concurrency],
            }
        );
        var rounds = await Rounds.RunAsync(contenders, Concurrency, options);
        Report.PrintContenders(contenders, rounds, Concurrency);
        PrintGoals(contenders, rounds);
    }

    /// <summary>The broker first, the agent that logs in and asks by itself last.</summary>
    private Contender[] Contenders(
        Child broker,
        OpenBao bao,
        string brokerToken,
        BenchPostgres? postgres,
        string[] tokens
    )
    {
        Func<TimeSpan>[] backends = postgres is null ? [bao.Child.CpuTime] : [bao.Child.CpuTime, postgres.CpuTime];
        var exchanges = ExchangeRequests.Of(tokens, _credential, _more);
        byte[][] logins =
        [
            .. tokens.Select(token =>
                HttpConnection.Request(
                    "POST",
                    "/v1/auth/jwt/login",
                    "X-Vault-Request: true\r\n",
                    $$"""{"role":"agent","jwt":"{{token}}"}"""
                )
            ),
        ];
        List<Contender> contenders = [Exchanging("broker", tokens.Length)];
        if (IsKeyValue)
        {
            contenders.Add(Exchanging($"broker, {Returning:N0} tokens", Math.Min(Returning, tokens.Length)));
            // OpenBao refuses it for what has a lease: that would have no token to hang on.
            byte[][] inline = [.. tokens.Select(Inline)];
            contenders.Add(
                new(
                    "agent, inline login",
                    [bao.Child.Address],
                    backends,
                    (connection, index) => connection.SendAsync(inline[index % inline.Length])
                )
            );
        }
        else
        {
            contenders.Add(
                new(
                    "the broker's two calls",
                    [bao.Child.Address],
                    backends,
                    (connection, index) =>
                        TokenAndAskAsync(connection, OpenBao.ChildTokenRequest(_credential, index, brokerToken))
                )
            );
        }

        contenders.Add(
            new(
                "agent alone",
                [bao.Child.Address],
                backends,
                (connection, index) => TokenAndAskAsync(connection, logins[index % logins.Length])
            )
        );
        return [.. contenders];

        Contender Exchanging(string name, int count) =>
            new(
                name,
                [broker.Address],
                [broker.CpuTime, .. backends],
                (connection, index) => connection.SendAsync(exchanges[index % count])
            );
    }

    private void PrintGoals(Contender[] contenders, IReadOnlyList<IReadOnlyList<Measurement>> rounds)
    {
        var cpu = rounds.Select(round => Measurement.Sum(round).AllCpuMicrosecondsEach).ToList();
        for (var i = 1; i < contenders.Length; i++)
        {
            if (contenders[i].Addresses[0] == contenders[0].Addresses[0])
            {
                continue;
            }

            var (what, ratio) = ($"broker ÷ {contenders[i].Name}", cpu[0] / cpu[i]);
            var (_, low, high) = Rounds.Ratio(rounds[0], rounds[i], run => run.AllCpuMicrosecondsEach);
            var throughput = Rounds.Ratio(rounds[0], rounds[i]).Median;
            if (i < contenders.Length - 1)
            {
                Console.WriteLine($"  {what}: throughput {throughput:N2}, CPU of all {ratio:N2}");
            }
            else if (IsKeyValue)
            {
                Report.PrintGoal($"{what}, CPU of all", ratio, "≤", CpuGoal, rounds: (low, high));
            }
            else
            {
                Console.WriteLine($"  {what}: CPU of all {ratio:N2} (rounds {low:N2}–{high:N2})");
                Report.PrintGoal($"{what}, throughput", throughput, "≥", ThroughputGoal);
            }
        }
    }

    /// <summary>Login and read in one request, for which OpenBao stores no token.</summary>
    private byte[] Inline(string token)
    {
        return HttpConnection.Request(
            "GET",
            "/v1/" + _path,
            $"X-Vault-Inline-Auth-Path: auth/jwt/login\r\n{Parameter("role", "agent")}{Parameter("jwt", token)}"
        );

        static string Parameter(string key, string value)
        {
            var json = new JsonObject { ["key"] = key, ["value"] = value }.ToJsonString();
            return $"X-Vault-Inline-Auth-Parameter-{key}: {Agents.Encode(Encoding.UTF8.GetBytes(json))}\r\n";
        }
    }

    private async ValueTask<HttpAnswer> TokenAndAskAsync(HttpConnection connection, byte[] tokenRequest)
    {
        var answer = await connection.SendAsync(tokenRequest);
        return answer.IsSuccess
            ? await connection.SendAsync(
                HttpConnection.Request(
                    _body.Length > 0 ? "POST" : "GET",
                    "/v1/" + _path,
                    $"X-Vault-Token: {answer.Text("client_token")}\r\n",
                    _body
                )
            )
            : answer;
    }
}
