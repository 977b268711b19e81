using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Vault.Http;

namespace CredBroker.Vault;

/// <summary>
/// Finds by Vault's own lists which roles of this installation have leases, those that no policy names any more included.
/// Vault keeps leases by the path that made them, as in folders: it goes down from the top as far as the login may, and
/// says where it may not. In a folder of roles it looks at names that begin with this installation's prefix and at no
/// other.
/// </summary>
internal sealed class VaultRoles(VaultLeases leases, VaultNames names)
{
    private const int MostFolders = 500;
    private const string TokenFolder = "auth/token/create";

    /// <summary>Folders that hold roles at every mount of their engines.</summary>
    private static readonly string[] OfRoles = ["creds", "issue", "sign"];

    /// <summary>Where tokens and Vault's own leases are: no mount of secrets is there.</summary>
    private static readonly string[] NoMounts = ["auth/", "sys/", "cubbyhole/", "identity/"];

    /// <summary>Those that these entries do not name.</summary>
    public async ValueTask<RoleListing> FindAsync(
        IReadOnlyList<CatalogueEntry> known,
        VaultProof proof,
        CancellationToken cancellationToken
    )
    {
        var folders = known.Select(names.RoleFolder).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var named = known.Select(names.LeasePrefix).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var (unnamed, forbidden) = (new List<CatalogueEntry>(), new List<string>());
        var (open, seen) = (new Queue<string>(["", TokenFolder]), new HashSet<string>(StringComparer.Ordinal));
        var (tokenRoles, isCut) = (new List<string>(), false);
        while (open.TryDequeue(out var folder))
        {
            if (!seen.Add(folder))
            {
                continue;
            }

            if (seen.Count > MostFolders && !folders.Contains(folder))
            {
                if (!isCut)
                {
                    isCut = true;
                    forbidden.Add($"{folder}/ and more: too many folders");
                    Enqueue(folders);
                }

                continue;
            }

            if (folder.Length > 0 && !VaultPath.IsSafe(folder))
            {
                forbidden.Add(folder + "/");
                continue;
            }

            var (found, failed) = await leases.NamesAsync(folder, proof, cancellationToken);
            if (found is null && !failed.IsForbidden)
            {
                return new RoleListing.Failed(failed.Error);
            }

            if (found is null)
            {
                forbidden.Add(folder.Length == 0 ? "mounts that no policy names" : folder + "/");
                // What is known to be below can be listed all the same, by the rights that an earlier setup gave.
                Enqueue(
                    folders.Where(known =>
                        folder.Length == 0 || known.StartsWith(folder + "/", StringComparison.Ordinal)
                    )
                );
                continue;
            }

            var below = found.Where(name => name.EndsWith('/'));
            if (folder == TokenFolder)
            {
                tokenRoles.AddRange(below.Select(name => name[..^1]).Where(names.Owns).Except(names.TokenRoles(known)));
            }
            else if (folder.Length == 0)
            {
                Enqueue(below.Except(NoMounts).Select(name => name[..^1]));
            }
            else
            {
                var last = folder[(folder.LastIndexOf('/') + 1)..];
                // What has such a name where no roles are for certain is a role if it has leases, and not if it is a mount.
                if (names.Owns(last) && found.Any(name => !name.EndsWith('/')))
                {
                    Add(folder, last);
                }

                var isOfRoles = folders.Contains(folder) || OfRoles.Contains(last);
                foreach (var name in below.Select(name => name[..^1]))
                {
                    var path = $"{folder}/{name}";
                    if (!isOfRoles || folders.Any(known => IsAbove(path, known)))
                    {
                        open.Enqueue(path);
                    }
                    else if (names.Owns(name))
                    {
                        Add(path, name);
                    }
                }
            }
        }

        return new RoleListing.Listed(unnamed, tokenRoles, forbidden);

        void Enqueue(IEnumerable<string> more)
        {
            foreach (var folder in more)
            {
                open.Enqueue(folder);
            }
        }

        void Add(string path, string role)
        {
            // A reaper's lease holds nothing: what it makes is made to remove.
            if (named.Contains(path) || VaultNames.IsReaper(role))
            {
                return;
            }

            var entry = Entry(path, role);
            if (names.FaultOf(entry) is null)
            {
                unnamed.Add(entry);
            }
            else
            {
                forbidden.Add(path);
            }
        }
    }

    private static bool IsAbove(string path, string folder) =>
        folder == path || folder.StartsWith(path + "/", StringComparison.Ordinal);

    /// <summary>What is known of such a role: where it is. It is listed and revoked, and nothing is made with it.</summary>
    private CatalogueEntry Entry(string path, string role) =>
        new()
        {
            Name = role[names.Prefix.Length..],
            Vault = new VaultBinding.Dynamic(path, "GET"),
            Access = AccessKind.Privileged,
            Impact = ImpactLevel.High,
            Reversible = false,
            Actions = [],
            MaxTtl = TimeSpan.Zero,
        };
}
