using System.Text.Json;
using CredBroker.Client;

namespace CredBroker.UnitTests.Client;

public sealed class BrokerJsonTests
{
    private static readonly DateTimeOffset At = new(2026, 3, 1, 9, 30, 0, TimeSpan.Zero);

    [Fact]
    public void A_request_is_camel_case_with_durations_as_text_and_nothing_null()
    {
        var request = new ExchangeRequest
        {
            Task = new()
            {
                Id = "t-1",
                Process = "invoice-triage",
                Purpose = "find duplicates",
            },
            Credential = "billing-readonly",
            Actions = ["read"],
            Ttl = TimeSpan.FromMinutes(10),
        };

        Assert.Equal(
            """{"task":{"id":"t-1","process":"invoice-triage","purpose":"find duplicates"}"""
                + ""","credential":"billing-readonly","actions":["read"],"ttl":"10m"}""",
            JsonSerializer.Serialize(request, BrokerJson.Default.ExchangeRequest)
        );
    }

    public static TheoryData<SecretResponse, string> Secrets =>
        new()
        {
            {
                new DatabaseSecret
                {
                    Username = "cb-1_x",
                    Password = "hunter2",
                    Connection = new("db", 5432, "billing", "verify-full"),
                },
                """{"type":"database","username":"cb-1_x","password":"hunter2","connection":{"host":"db","port":5432"""
                    + ""","database":"billing","sslmode":"verify-full"}}"""
            },
            {
                new CertificateSecret
                {
                    Certificate = "C",
                    Chain = ["I"],
                    Serial = "01:02",
                },
                """{"type":"pki","certificate":"C","chain":["I"],"serial":"01:02"}"""
            },
            {
                new KeyValueSecret { Data = Json("""{"apiKey":"hunter2"}""") },
                """{"type":"kv","data":{"apiKey":"hunter2"}}"""
            },
            {
                new TokenSecret { Token = "hunter2", Address = "https://vault" },
                """{"type":"token","token":"hunter2","address":"https://vault"}"""
            },
            {
                new DynamicSecret { Data = Json("""{"accessKey":"hunter2"}""") },
                """{"type":"dynamic","data":{"accessKey":"hunter2"}}"""
            },
        };

    [Theory]
    [MemberData(nameof(Secrets), DisableDiscoveryEnumeration = true)]
    public void Each_engine_has_its_schema_and_is_read_back(SecretResponse secret, string json)
    {
        Assert.Equal(json, JsonSerializer.Serialize(secret, BrokerJson.Default.SecretResponse));
        Assert.Equal(
            json,
            JsonSerializer.Serialize(
                JsonSerializer.Deserialize(json, BrokerJson.Default.SecretResponse)!,
                BrokerJson.Default.SecretResponse
            )
        );
    }

    [Theory]
    [MemberData(nameof(Secrets), DisableDiscoveryEnumeration = true)]
    public void A_secret_prints_as_redacted_alone_and_inside_its_reply(SecretResponse secret, string json)
    {
        var reply = new ExchangeResponse
        {
            LeaseId = "l",
            Secret = secret,
            ExpiresAt = At,
            Decision = new("d", 3),
        };

        Assert.Equal($"{secret.GetType().Name} [redacted]", secret.ToString());
        Assert.Contains("[redacted]", reply.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", reply.ToString(), StringComparison.Ordinal);
        Assert.NotEmpty(json);
    }

    [Fact]
    public void The_client_reads_members_it_does_not_know_and_a_type_that_comes_late()
    {
        var reply = JsonSerializer.Deserialize(
            """
            {"leaseId":"l","newMember":{"a":1},"secret":{"token":"t","more":[1],"address":"a","type":"token"},
             "expiresAt":"2026-03-01T09:30:00Z","decision":{"id":"d","policyVersion":3,"region":"eu"}}
            """,
            BrokerJson.Default.ExchangeResponse
        )!;

        Assert.Equal(new TokenSecret { Token = "t", Address = "a" }, reply.Secret);
        Assert.Equal((At, 3L), (reply.ExpiresAt, reply.Decision.PolicyVersion));
    }

    [Theory]
    [InlineData("""{"process":"p","extra":1}""")]
    [InlineData("""{"process":"p","process":"q"}""")]
    [InlineData("""{"process":null}""")]
    [InlineData("""{"Process":"p"}""")]
    [InlineData("""{}""")]
    public void Reading_strictly_refuses_unknown_duplicate_null_and_missing_members(string body) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(body, BrokerJson.Strict.CloseTaskRequest));

    [Theory]
    [InlineData("""{"name":"transfer","arguments":{"amount":1,"amount":2}}""")]
    [InlineData("""{"name":"transfer","arguments":{"to":{"iban":"x","iban":"y"}}}""")]
    public void Reading_strictly_refuses_duplicates_inside_tool_arguments(string toolCall) =>
        Assert.Throws<JsonException>(() =>
            JsonSerializer.Deserialize(
                $$"""{"status":"succeeded","toolCall":{{toolCall}}}""",
                BrokerJson.Strict.ReportRequest
            )
        );

    [Theory]
    [InlineData("\"10 minutes\"")]
    [InlineData("600")]
    [InlineData("\"0s\"")]
    public void A_duration_in_another_form_is_a_fault_at_its_path(string ttl)
    {
        var fault = Assert.Throws<JsonException>(() =>
            JsonSerializer.Deserialize($$"""{"ttl":{{ttl}}}""", BrokerJson.Strict.RenewRequest)
        );

        Assert.Equal("$.ttl", fault.Path);
        Assert.Contains("10m", fault.Message, StringComparison.Ordinal);
    }

    private static JsonElement Json(string text) => JsonElement.Parse(text);
}
