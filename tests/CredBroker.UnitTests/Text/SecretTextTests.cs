using System.Text.Json;
using CredBroker.Core.Text;

namespace CredBroker.UnitTests.Text;

public sealed class SecretTextTests
{
    [Fact]
    public void A_secret_prints_as_redacted() => Assert.Equal("[redacted]", new SecretText("hunter2").ToString());

    [Fact]
    public void A_serializer_refuses_a_secret() =>
        Assert.Throws<NotSupportedException>(() => JsonSerializer.Serialize(new SecretText("hunter2")));
}
