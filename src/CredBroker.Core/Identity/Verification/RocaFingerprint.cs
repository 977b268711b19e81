using System.Numerics;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// Whether an RSA modulus was made by the flawed chips of CVE-2017-15361 (ROCA), from whose public keys the private ones
/// can be computed. Their primes are powers of 65537 modulo many small primes, and so are the products; of other keys
/// one in about 2^27 looks the same.
/// </summary>
internal static class RocaFingerprint
{
    private const int Generator = 65537;

    // Those of the published detectors: small primes modulo which the powers of 65537 are few.
    private static readonly int[] Primes = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

    private static readonly bool[][] Powers = [.. Primes.Select(PowersModulo)];

    /// <summary>Whether the modulus, unsigned and big-endian, has the fingerprint.</summary>
    public static bool IsOn(ReadOnlySpan<byte> modulus)
    {
        var number = new BigInteger(modulus, isUnsigned: true, isBigEndian: true);
        for (var i = 0; i < Primes.Length; i++)
        {
            if (!Powers[i][(int)(number % Primes[i])])
            {
                return false;
            }
        }

        return true;
    }

    private static bool[] PowersModulo(int prime)
    {
        var powers = new bool[prime];
        for (var power = 1; !powers[power]; power = power * (Generator % prime) % prime)
        {
            powers[power] = true;
        }

        return powers;
    }
}
