using System.Diagnostics;

namespace CredBroker.Core.Policy.Document;

/// <summary>
/// Reads an entry's <c>vault</c> part. Mounts, roles and paths become parts of URLs, so they take no character that
/// could mean anything there.
/// </summary>
internal sealed class VaultBindingReader(PolicyFaultList faults)
{
    private static readonly VaultBinding Unread = new VaultBinding.Token("unread");

    public (VaultBinding Binding, VaultSetup? Setup) Read(YamlNode? value)
    {
        if (value is null)
        {
            return (Unread, null);
        }

        var reader = new MappingReader(value, "`vault`", faults);
        var engine = reader.Choice("engine", VaultBinding.Engines);
        VaultBinding binding = engine switch
        {
            VaultBinding.Database.EngineName => new VaultBinding.Database(
                Path(reader, "mount"),
                Segment(reader, "role")
            ),
            VaultBinding.Dynamic.EngineName => new VaultBinding.Dynamic(
                Path(reader, "path"),
                reader.Choice("method", absent: (bool?)true, ("GET", true), ("POST", false)) ? "GET" : "POST"
            ),
            VaultBinding.Pki.EngineName => new VaultBinding.Pki(
                Path(reader, "mount"),
                Segment(reader, "role"),
                reader.Choice("mode", absent: (PkiMode?)PkiMode.Sign, ("sign", PkiMode.Sign), ("issue", PkiMode.Issue))
            ),
            VaultBinding.KeyValue.EngineName => new VaultBinding.KeyValue(
                Path(reader, "mount"),
                Checked(reader, "path", allowsSlash: true, allowsParams: true)
            ),
            VaultBinding.Token.EngineName => new VaultBinding.Token(Segment(reader, "role")),
            _ => throw new UnreachableException($"The engine {engine} is listed, and nothing reads its settings."),
        };
        var setup = reader.Find("setup") is { } node ? ReadSetup(node, engine) : null;
        reader.Finish($"`vault` of the engine {binding.Engine}");
        return (binding, setup);
    }

    private VaultSetup ReadSetup(YamlNode value, string engine)
    {
        var reader = new MappingReader(value, "`setup`", faults);
        var setup = new VaultSetup();
        switch (engine)
        {
            case VaultBinding.Database.EngineName:
                var grants = reader.Texts(reader.Find("grants"), "grants");
                foreach (var grant in grants.Where(grant => !grant.Text.Contains("{{name}}", StringComparison.Ordinal)))
                {
                    faults.Add(grant, "a grant names the user as \"{{name}}\"");
                }

                setup = setup with
                {
                    Connection = Segment(reader, "connection"),
                    AdminCredentialFile = reader.Text("adminCredentialFile"),
                    Grants = [.. grants.Select(grant => grant.Text)],
                };
                break;
            case VaultBinding.Pki.EngineName:
                setup = setup with
                {
                    AllowedUris =
                    [
                        .. reader.Texts(reader.Find("allowedUris"), "allowedUris").Select(name => name.Text),
                    ],
                    AllowedDomains =
                    [
                        .. reader.Texts(reader.Find("allowedDomains"), "allowedDomains").Select(name => name.Text),
                    ],
                };
                break;
            case VaultBinding.Dynamic.EngineName or VaultBinding.Token.EngineName:
                setup = setup with { Policy = reader.Text("policy") };
                break;
        }

        reader.Finish("`setup` of this engine");
        return setup;
    }

    private string Path(MappingReader reader, string key) => Checked(reader, key, allowsSlash: true);

    private string Segment(MappingReader reader, string key) => Checked(reader, key, allowsSlash: false);

    private string Checked(MappingReader reader, string key, bool allowsSlash, bool allowsParams = false)
    {
        if (reader.Scalar(reader.Need(key), key) is not { } scalar)
        {
            return "";
        }

        var parts = scalar.Text.Split('/');
        if (
            scalar.Text.Length > 200
            || (!allowsSlash && parts.Length > 1)
            || !parts.All(part =>
                CatalogueParameter.IsSegment(part)
                || (allowsParams && PathTemplate.NameOf(part) is { } name && CatalogueParameter.IsName(name))
            )
        )
        {
            faults.Add(
                scalar,
                $"`{key}` takes letters, digits and - _ .{(allowsSlash ? " in parts joined by /" : "")}"
                    + (allowsParams ? ", and a whole part may be a parameter, such as {tenant}" : "")
            );
        }
        else if (key is "mount" or "path" && parts[0] is "sys" or "auth" or "identity" or "cubbyhole")
        {
            faults.Add(scalar, $"`{key}` lies under {parts[0]}/, which is Vault's own and no secrets engine");
        }

        return scalar.Text;
    }
}
