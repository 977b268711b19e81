using System.Net;
using System.Text.Json;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Server;

public sealed class AuditExportApiTests(SharedBroker shared) : IClassFixture<SharedBroker>
{
    private readonly TestBroker _broker = shared.Broker;

    [Fact]
    public async Task The_log_is_streamed_as_json_lines_and_holds_no_secret()
    {
        using var issued = await _broker.SendAsync(HttpMethod.Post, "/v1/credentials", _broker.Agent(), Api.Exchange());
        var leaseId = (await issued.ReadAsync(HttpStatusCode.Created)).GetProperty("leaseId").GetString()!;

        using var response = await _broker.SendAsync(
            HttpMethod.Get,
            "/v1/audit/export?format=jsonl",
            _broker.Person("auditor")
        );
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/jsonl", response.Content.Headers.ContentType?.MediaType);
        var text = await response.Content.ReadAsStringAsync();
        var lines = text.TrimEnd('\n').Split('\n').Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal("export.opened", lines[0].GetProperty("type").GetString());
        Assert.Equal("export.closed", lines[^1].GetProperty("type").GetString());
        Assert.Contains("lease.issued", lines.Select(line => line.GetProperty("type").GetString()));
        Assert.Contains(leaseId, text, StringComparison.Ordinal);
        Assert.DoesNotContain(_broker.Vault.Marker, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_goes_on_after_its_cursor()
    {
        var first = await ExportAsync("");
        var record = first[2];
        var cursor = $"{record.GetProperty("stream").GetString()}:{record.GetProperty("seq").GetInt64()}";
        var second = await ExportAsync($"?cursor={Uri.EscapeDataString(cursor)}");
        Assert.Equal(first[3].GetRawText(), second[2].GetRawText());
    }

    [Theory]
    [InlineData("from=yesterday")]
    [InlineData("from=2026-01-01")]
    [InlineData("from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z")]
    [InlineData("cursor=abc")]
    [InlineData("format=csv")]
    [InlineData("since=2026-01-01T00:00:00Z")]
    [InlineData("from=2026-01-01T00:00:00Z&from=2026-01-01T00:00:00Z")]
    public async Task A_range_that_is_not_understood_is_refused(string query)
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Get,
            $"/v1/audit/export?{query}",
            _broker.Person("auditor")
        );
        await response.ReadProblemAsync("CB7005");
    }

    [Fact]
    public async Task A_period_without_events_is_an_export_without_records()
    {
        var lines = await ExportAsync("?from=2001-01-01T00:00:00Z&to=2001-01-01T02:00:00%2B01:00");
        Assert.Equal(["export.opened", "export.closed"], lines.Select(line => line.GetProperty("type").GetString()));
    }

    private async Task<List<JsonElement>> ExportAsync(string query)
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Get,
            $"/v1/audit/export{query}",
            _broker.Person("auditor")
        );
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return [.. text.TrimEnd('\n').Split('\n').Select(line => JsonElement.Parse(line))];
    }
}
