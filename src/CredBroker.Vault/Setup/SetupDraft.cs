using System.Text.Json.Nodes;
using CredBroker.Core.Policy;
using CredBroker.Vault.Engines;

namespace CredBroker.Vault.Setup;

/// <summary>
/// Collects the steps for a catalogue, one entry after the other; what two entries share is there once.
/// </summary>
internal sealed class SetupDraft(VaultNames names)
{
    private static readonly TimeSpan ProbeLife = TimeSpan.FromMinutes(5);

    /// <summary>The broker's own token may go so long without a renewal: a weekend.</summary>
    private static readonly TimeSpan BrokerPeriod = TimeSpan.FromHours(72);

    private readonly List<SetupStep> _steps = [];
    private readonly List<string> _notes = [];
    private readonly List<string> _faults = [];

    public IReadOnlyList<SetupStep> Steps => _faults.Count > 0 ? [] : _steps;

    public IReadOnlyList<string> Notes => _notes;

    public IReadOnlyList<string> Faults => _faults;

    /// <summary>What the catalogue's grants, taken together, let one agent do to another.</summary>
    public void AddWarnings(IReadOnlyList<CatalogueEntry> entries) => _notes.AddRange(SharedSchemas.Warnings(entries));

    /// <summary>What the broker itself needs.</summary>
    public void AddBroker(IReadOnlyList<CatalogueEntry> entries, AppRoleSetup? appRole)
    {
        Add(
            new()
            {
                Kind = SetupKind.AuditedHeader,
                Name = "X-CredBroker-Lease",
                Path = "sys/config/auditing/request-headers/X-CredBroker-Lease",
                Body = new() { ["hmac"] = false },
            }
        );
        AddKeyValueMount(names.Anchor);
        AddPolicy(names.Probe, BrokerPolicy.ForProbe());
        Add(SetupSteps.TokenRole(names.Probe, orphan: true, ProbeLife));
        AddPolicy(names.Broker, BrokerPolicy.ForBroker(names, entries));

        // Half of it must exceed the longest secret, because a token is renewed when half of its life is over.
        var longest = entries.Count == 0 ? TimeSpan.Zero : entries.Max(entry => entry.MaxTtl);
        var period = TimeSpan.FromTicks(Math.Max(BrokerPeriod.Ticks, 3 * longest.Ticks));
        if (appRole is not null)
        {
            Add(
                new()
                {
                    Kind = SetupKind.AuthMethod,
                    Name = appRole.Mount,
                    Path = $"sys/auth/{appRole.Mount}",
                    Body = new() { ["type"] = "approle" },
                }
            );
            Add(SetupSteps.AppRole(appRole, names.Broker, period));
            _notes.Add(
                "The broker logs in by AppRole: "
                    + $"read auth/{appRole.Mount}/role/{names.Broker}/role-id into Vault:AppRole:RoleId, and write "
                    + $"auth/{appRole.Mount}/role/{names.Broker}/secret-id into the file Vault:AppRole:SecretIdFile. "
                    + $"A secret id ends {appRole.SecretIdTtl.TotalHours:0} h after it was made: write a new one into the "
                    + "file before, or the broker cannot log in after its next start."
            );
            return;
        }

        Add(SetupSteps.PeriodicTokenRole(names.Broker, period));
        _notes.Add(
            $"The broker's token: bao token create -role={names.Broker} -field=token > FILE, "
                + "with Vault:TokenFile naming that file."
        );
    }

    /// <summary>What one credential needs.</summary>
    public void AddCredential(CatalogueEntry entry)
    {
        switch (entry.Vault)
        {
            case VaultBinding.KeyValue kv:
                AddKeyValueMount(kv.Mount);
                return;
            case VaultBinding.Database database:
                AddMount(database.Mount, new() { ["type"] = "database" });
                AddDatabase(entry, database);
                break;
            case VaultBinding.Pki pki:
                AddMount(
                    pki.Mount,
                    new()
                    {
                        ["type"] = "pki",
                        ["config"] = new JsonObject { ["max_lease_ttl"] = "87600h" },
                    }
                );
                AddPki(entry, pki);
                break;
            case VaultBinding.Token token:
                AddHolder(entry, token);
                break;
            case VaultBinding.Dynamic dynamic:
                _notes.Add(
                    $"Credential {entry.Name}: the engine behind {dynamic.Path} is yours to set up; "
                        + $"its leases must end with {entry.MaxTtl}."
                );
                break;
        }

        var name = names.Credential(entry.Name);
        AddPolicy(
            name,
            entry is { Vault: VaultBinding.Dynamic, Setup.Policy: { Length: > 0 } policy }
                ? BrokerPolicy.Marked(policy.TrimEnd() + "\n")
                : BrokerPolicy.ForChild(entry)
        );
        Add(SetupSteps.TokenRole(name, orphan: true, ChildTokens.LifeFor(entry.MaxTtl)));
    }

    private void AddDatabase(CatalogueEntry entry, VaultBinding.Database database)
    {
        if (!names.Owns(database.Role))
        {
            NoteForeign(entry, database.Role);
            return;
        }

        if (
            entry
            is not {
                Setup: { Connection.Length: > 0, AdminCredentialFile.Length: > 0 } setup,
                Connection: { } connection
            }
        )
        {
            _faults.Add(
                $"Credential {entry.Name}: to make its role, setup needs `connection`, "
                    + "and `setup` with connection and adminCredentialFile."
            );
            return;
        }

        Add(SetupSteps.DatabaseConnection(names, database.Mount, setup, connection));
        Add(SetupSteps.DatabaseRole(names, database, setup, entry.MaxTtl));
        AddReaper(entry, database, setup, connection);
        Note(
            $"Connection {setup.Connection}: its administrator (in {setup.AdminCredentialFile} as user:password) "
                + "is no superuser. It needs CREATEROLE, membership of pg_signal_backend, "
                + "and what the credentials grant, WITH GRANT OPTION. "
                + "On that server, take CONNECT on the other databases from PUBLIC (what a user makes there no revocation "
                + "reaches), and leave max_prepared_transactions at 0 (a prepared transaction would hold a user's row "
                + "after its sessions are gone)."
        );
        Note(
            "Then let Vault alone know the administrator's password: "
                + $"bao write -f {database.Mount}/rotate-root/{names.Connection(setup.Connection)}"
        );
    }

    /// <summary>What removes the users of a lease of which Vault knows nothing.</summary>
    private void AddReaper(
        CatalogueEntry entry,
        VaultBinding.Database database,
        Core.Policy.VaultSetup setup,
        DatabaseConnection connection
    )
    {
        var name = VaultNames.Reaper(names.Credential(entry.Name));
        Add(SetupSteps.ReaperRole(names, database, setup, connection, name));
        AddPolicy(name, BrokerPolicy.ForReaper(database));
        Add(SetupSteps.TokenRole(name, orphan: true, ChildTokens.ReaperLife));
    }

    private void AddPki(CatalogueEntry entry, VaultBinding.Pki pki)
    {
        Add(SetupSteps.CertificateAuthority(names, pki.Mount));
        if (!names.Owns(pki.Role))
        {
            NoteForeign(entry, pki.Role);
            return;
        }

        if (
            entry is not { Setup: { } setup, Names: { } certificate }
            || (certificate.Uri is not null && setup.AllowedUris.Count == 0)
            || (certificate.Dns is not null && setup.AllowedDomains.Count == 0)
        )
        {
            _faults.Add(
                $"Credential {entry.Name}: to make its role, setup needs `names`, "
                    + "and `setup` with allowedUris (for a URI name) and allowedDomains (for a DNS name)."
            );
            return;
        }

        Add(SetupSteps.PkiRole(pki, setup, certificate, entry.MaxTtl));
    }

    /// <summary>
    /// The token that an agent gets: by a second role, and with the policy that the catalogue writes out.
    /// </summary>
    private void AddHolder(CatalogueEntry entry, VaultBinding.Token token)
    {
        if (!names.Owns(token.Role))
        {
            NoteForeign(entry, token.Role);
            return;
        }

        if (entry.Setup is not { Policy: { Length: > 0 } policy })
        {
            _faults.Add(
                $"Credential {entry.Name}: to make its role, setup needs `setup` with policy, "
                    + "the HCL that the token's holder may do."
            );
            return;
        }

        AddPolicy(token.Role, BrokerPolicy.Marked(policy.TrimEnd() + "\n"));
        Add(SetupSteps.TokenRole(token.Role, orphan: false, entry.MaxTtl));
    }

    private void AddKeyValueMount(string mount) =>
        AddMount(
            mount,
            new()
            {
                ["type"] = "kv",
                ["options"] = new JsonObject { ["version"] = "2" },
            }
        );

    private void AddMount(string mount, JsonObject body) =>
        Add(
            new()
            {
                Kind = SetupKind.Mount,
                Name = mount,
                Path = $"sys/mounts/{mount}",
                Body = body,
            }
        );

    private void AddPolicy(string name, string text) =>
        Add(
            new()
            {
                Kind = SetupKind.Policy,
                Name = name,
                Path = $"sys/policies/acl/{name}",
                Body = new() { ["policy"] = text },
            }
        );

    private void Add(SetupStep step)
    {
        // Neither Vault nor a shell takes every character of a YAML text.
        if (SetupText.FaultOf(step) is { } fault)
        {
            _faults.Add(fault);
        }
        else if (_steps.Find(other => other.Path == step.Path) is not { } same)
        {
            _steps.Add(step with { IsOwn = IsOwned(step) });
        }
        else if (!JsonNode.DeepEquals(same.Body, step.Body) || same.CredentialFile != step.CredentialFile)
        {
            _faults.Add(
                $"Two credentials need {step.Path} with different contents; "
                    + "give them roles, connections or policies of their own, or the same settings."
            );
        }
    }

    private bool IsOwned(SetupStep step) =>
        step.Kind
            is SetupKind.Policy
                or SetupKind.TokenRole
                or SetupKind.AppRole
                or SetupKind.DatabaseConnection
                or SetupKind.DatabaseRole
                or SetupKind.PkiRole
        && names.Owns(step.Name);

    private void NoteForeign(CatalogueEntry entry, string role) =>
        _notes.Add(
            $"Credential {entry.Name}: the role {role} is not called {names.Prefix}…, "
                + "so setup leaves it alone, and after a crash its secrets cannot be proven gone by a sweep."
        );

    private void Note(string note)
    {
        if (!_notes.Contains(note))
        {
            _notes.Add(note);
        }
    }
}
