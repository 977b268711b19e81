using CredBroker.Core.Identity.Verification;

namespace CredBroker.Server.Identity.Keys;

/// <summary>The succession of one trust domain's bundles: an older one never takes the place of a newer.</summary>
internal sealed class BundleSequence
{
    private TrustBundle? _current;

    /// <summary>Reads a bundle that comes after the current one.</summary>
    public KeyDocument Read(ReadOnlyMemory<byte> utf8)
    {
        if (!TrustBundle.TryRead(utf8, out var bundle, out var fault) || !bundle.MaySucceed(_current, out fault))
        {
            throw new KeyDocumentException($"the bundle cannot be used: {fault}");
        }

        _current = bundle;
        return new KeyDocument(bundle.Anchors, bundle.Skipped, bundle.RefreshHint);
    }
}
