using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using CredBroker.Client;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;

namespace CredBroker.UnitTests.Policy;

/// <summary>An engine is named in one list; what cannot read that list agrees with it.</summary>
public sealed class EngineListTests
{
    [Fact]
    public void Every_binding_is_in_the_list_and_stored_under_its_engines_name()
    {
        var stored = Discriminators(typeof(VaultBinding));

        Assert.Equal(VaultBinding.Engines.Order(), stored.Select(pair => pair.Name).Order());
        Assert.Equal(typeof(VaultBinding).GetNestedTypes().ToHashSet(), stored.Select(pair => pair.Type).ToHashSet());
        Assert.All(stored, pair => Assert.Equal(pair.Name, pair.Type.GetField("EngineName")!.GetRawConstantValue()));
        Assert.Equal("kv", new VaultBinding.KeyValue("secret", "a").Engine);
    }

    [Fact]
    public void The_wire_has_a_secret_for_every_engine() =>
        Assert.Equal(
            VaultBinding.Engines.Order(),
            Discriminators(typeof(SecretResponse)).Select(pair => pair.Name).Order()
        );

    [Fact]
    public void The_editors_schema_offers_every_engine()
    {
        var node = JsonElement.Parse(PolicyManual.ReadSchema());
        foreach (
            var step in "properties credentials additionalProperties properties vault properties engine enum".Split(' ')
        )
        {
            node = node.GetProperty(step);
        }

        Assert.Equal(VaultBinding.Engines, node.EnumerateArray().Select(name => name.GetString()));
    }

    private static List<(string Name, Type Type)> Discriminators(Type type) =>
        [
            .. type.GetCustomAttributes<JsonDerivedTypeAttribute>()
                .Select(derived => ((string)derived.TypeDiscriminator!, derived.DerivedType)),
        ];
}
