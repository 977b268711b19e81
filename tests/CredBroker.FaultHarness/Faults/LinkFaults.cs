using CredBroker.FaultHarness.Servers;
using CredBroker.Testing;

namespace CredBroker.FaultHarness.Faults;

/// <summary>What a network does.</summary>
internal static class LinkFaults
{
    private static readonly (LinkFault Fault, string Name)[] Kinds =
    [
        (LinkFault.DropReplies, "replies dropped"),
        (LinkFault.HoldReplies, "replies held"),
        (LinkFault.BlackHole, "black-holed"),
        (LinkFault.Slow, "slow"),
        (LinkFault.Cut, "cut"),
    ];

    public static IReadOnlyList<Fault> Of(Arena arena)
    {
        return
        [
            .. On("broker–OpenBao", broker => broker.VaultLink),
            .. from kind in Kinds
            select new Fault(
                $"OpenBao–PostgreSQL {kind.Name}",
                dice => HappenAsync(arena, null, arena.DatabaseLink, kind.Fault, dice)
            ),
            .. arena.Store is PostgresStore ? On("broker–store", broker => broker.StoreLink!) : Fault.None,
        ];

        IEnumerable<Fault> On(string name, Func<ArenaBroker, ChaosProxy> link) =>
            from kind in Kinds
            select new Fault(
                $"{name} {kind.Name}",
                dice =>
                {
                    var broker = arena.Any(dice);
                    return HappenAsync(arena, broker.Number, link(broker), kind.Fault, dice);
                }
            );
    }

    private static async Task HappenAsync(Arena arena, int? broker, ChaosProxy link, LinkFault fault, Dice dice)
    {
        using var broken = arena.Calm.Break(broker);
        link.Set(fault);
        await Fault.LastAsync(Fault.Long(dice));
        link.Set(LinkFault.None);
    }
}
