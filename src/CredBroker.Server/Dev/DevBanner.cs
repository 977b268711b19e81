using CredBroker.Dev;

namespace CredBroker.Server.Dev;

/// <summary>
/// What dev mode prints when it is up: first that nothing here is safe for real secrets, then what to try.
/// </summary>
internal static class DevBanner
{
    public static string Text(DevMode dev, Uri broker, string commandLine)
    {
        var (at, issuer, vault) = (
            broker.GetLeftPart(UriPartial.Authority),
            dev.Issuer.Issuer,
            dev.Vault.Address.GetLeftPart(UriPartial.Authority)
        );
        var people = string.Join(", ", DevPerson.All.Select(person => person.Name));
        return $$"""
            ################################################################################
            #  DEV MODE. For trying things on this machine, never for real secrets:        #
            #  anybody who can reach these loopback ports may be any agent or person here. #
            #  Everything is thrown away when it stops.                                    #
            ################################################################################

              broker      {{at}}    (OpenAPI: {{at}}/openapi/v1.json)
              dev issuer  {{issuer}}    gives tokens for any agent, and for the people {{people}}
              DevVault    {{vault}}    a Vault in memory; its root token: {{dev.VaultRootTokenFile}}
              policy      {{dev.PolicyFile}}    edit it while the broker runs
              tokens      {{dev.TokenFolder}}    of the agent {{DevTokenFiles.Agent}} and the people; yours alone, kept fresh

            In another terminal, in the repository's folder, paste these lines. What README.md shows then runs there:

              export CREDBROKER_SERVER={{at}}
              DEV={{dev.DataDirectory}}
              credbroker() { {{commandLine}} "$@"; }

            The same over HTTP: an agent gets a secret, an admin sees who holds what, an auditor exports what happened.

              curl -s {{at}}/v1/credentials -H @- -H 'Content-Type: application/json' \
                -d '{"task":{"id":"task-1","process":"invoice-triage","purpose":"sort invoice 42"},"credential":"billing-api-key","actions":["read"]}' \
                <<< "Authorization: Bearer $(cat $DEV/tokens/{{DevTokenFiles.Agent}})"
              curl -s {{at}}/v1/leases -H @- <<< "Authorization: Bearer $(cat $DEV/tokens/admin)"
              curl -s {{at}}/v1/audit/export -H @- <<< "Authorization: Bearer $(cat $DEV/tokens/auditor)"

            A token for another instance, or another agent:

              curl -s {{issuer}}/token -d grant_type=client_credentials -d agent=triage -d instance=triage-2
            """;
    }
}
