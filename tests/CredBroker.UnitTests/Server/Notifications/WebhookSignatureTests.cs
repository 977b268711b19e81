using System.Security.Cryptography;
using System.Text;
using CredBroker.Server.Notifications;

namespace CredBroker.UnitTests.Server.Notifications;

/// <summary>Signatures as Standard Webhooks has them.</summary>
public sealed class WebhookSignatureTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void The_specifications_example_is_signed_as_it_says()
    {
        File.WriteAllText(_file, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
        Assert.Equal(
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            WebhookSignature.Of(
                WebhookSignature.ReadSecrets(_file),
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1614265330,
                """{"test": 2432232314}"""u8
            )
        );
    }

    [Fact]
    public void While_one_secret_takes_over_both_sign()
    {
        var (old, next) = (RandomNumberGenerator.GetBytes(24), RandomNumberGenerator.GetBytes(64));
        File.WriteAllText(_file, $"whsec_{Convert.ToBase64String(old)}\n\n whsec_{Convert.ToBase64String(next)}\r\n");
        var signed = Encoding.UTF8.GetBytes("msg_1.7.{}");
        Assert.Equal(
            $"v1,{Convert.ToBase64String(HMACSHA256.HashData(old, signed))} "
                + $"v1,{Convert.ToBase64String(HMACSHA256.HashData(next, signed))}",
            WebhookSignature.Of(WebhookSignature.ReadSecrets(_file), "msg_1", 7, "{}"u8)
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("whsec_")]
    [InlineData("whsec_c2hvcnQ=")]
    [InlineData("whsec_not base64 not base64 not base64 not")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\nwhsec_c2hvcnQ=")]
    [InlineData(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\nwhsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\nwhsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    )]
    public void A_file_without_good_secrets_signs_nothing_and_is_not_repeated(string text)
    {
        File.WriteAllText(_file, text);
        var fault = Assert.Throws<NotificationException>(() => WebhookSignature.ReadSecrets(_file));
        Assert.DoesNotContain("MfKQ", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("c2hv", fault.Message, StringComparison.Ordinal);
    }
}
