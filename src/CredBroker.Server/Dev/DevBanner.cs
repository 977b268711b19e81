using CredBroker.Dev;

namespace CredBroker.Server.Dev;

/// <summary>
/// What dev mode prints when it is up: first that nothing here is safe for real secrets, then what to try.
/// </summary>
internal static class DevBanner
{
    public static string Text(DevMode dev, Uri broker)
    {
        var (at, issuer, vault) = (
            broker.GetLeftPart(UriPartial.Authority),
            dev.Issuer.Issuer,
            dev.Vault.Address.GetLeftPart(UriPartial.Authority)
        );
        const string accessToken = """sed 's/.*"access_token":"\([^"]*\)".*/\1/'""";
        return $$"""
            ################################################################################
            #  DEV MODE. For trying things on this machine, never for real secrets:        #
            #  anybody who can reach these loopback ports may be any agent or person here. #
            #  Everything is thrown away when it stops.                                    #
            ################################################################################

              broker      {{at}}    (OpenAPI: {{at}}/openapi/v1.json)
              dev issuer  {{issuer}}    gives tokens for any agent, and for the people {{string.Join(
                ", ",
                DevPerson.All.Select(person => person.Name)
            )}}
              DevVault    {{vault}}    a Vault in memory; its root token: {{dev.VaultRootTokenFile}}
              policy      {{dev.PolicyFile}}    edit it while the broker runs

            An agent's token, and a secret for it:

              AGENT=$(curl -s {{issuer}}/token -d grant_type=client_credentials -d agent=triage -d instance=triage-1 | {{accessToken}})
              curl -s {{at}}/v1/credentials -H "Authorization: Bearer $AGENT" -H 'Content-Type: application/json' \
                -d '{"task":{"id":"task-1","process":"invoice-triage","purpose":"look at invoice 42"},"credential":"billing-api-key","actions":["read"]}'

            An admin sees who holds what, and takes it away:

              ADMIN=$(curl -s {{issuer}}/token -d grant_type=client_credentials -d person=admin | {{accessToken}})
              curl -s {{at}}/v1/leases -H "Authorization: Bearer $ADMIN"
              curl -s {{at}}/v1/revocations -H "Authorization: Bearer $ADMIN" -H 'Content-Type: application/json' -d '{"agent":"triage","reason":"trying it"}'

            An auditor exports what happened:

              AUDITOR=$(curl -s {{issuer}}/token -d grant_type=client_credentials -d person=auditor | {{accessToken}})
              curl -s {{at}}/v1/audit/export -H "Authorization: Bearer $AUDITOR" > audit.jsonl

            The command line does the same (credbroker, or dotnet run --project src/CredBroker.Cli --):

              export CREDBROKER_SERVER={{at}}; echo "$ADMIN" > admin.token
              credbroker leases list --token-file admin.token
              credbroker audit verify audit.jsonl
            """;
    }
}
